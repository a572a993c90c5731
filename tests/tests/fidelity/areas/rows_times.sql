-- Rows of dates and times at their edges. The settings of the session that fills them must not matter.
SET LOCAL timezone = 'Asia/Kathmandu';
CREATE TABLE public.times (
    id int PRIMARY KEY, d date, t time, t0 time(0), tz timetz, ts timestamp, ts3 timestamp(3), tstz timestamptz, i interval,
    i_year interval year to month, i_second interval day to second(2));
INSERT INTO public.times VALUES
    (1, 'infinity', '00:00:00', '23:59:59.9', '00:00:00+15:59', 'infinity', 'infinity', 'infinity', '1 year 2 mons -3 days 04:05:06.789', '1 year -2 mons', '1 day 2.345 sec'),
    (2, '-infinity', '24:00:00', '24:00:00', '24:00:00-15:59', '-infinity', '-infinity', '-infinity', '-178000000 years', '-5 years', '-1 day -2.345 sec'),
    (3, '4713-01-01 BC', '23:59:59.999999', '12:00', '12:00:00.5+05:45:30', '4713-01-01 00:00:00 BC', '0001-12-31 23:59:59.999 BC', '4713-01-01 00:00:00+00 BC', '0', '0', '0'),
    (4, '5874897-12-31', '00:00:00.000001', '01:02:03', '2024-07-01 12:00:00 Europe/Berlin', '294276-12-31 23:59:59.999999', '2000-01-01', '294276-12-31 23:59:59.999999+00', '178000000 years', '100 years', '1000000 days'),
    (5, '0001-01-01', '12:34:56.789', '12:34:56', '12:34:56.789-00:30', '1999-12-31 23:59:60', '2024-02-29 12:34:56.7896', '1883-11-18 12:03:57-04:56:02', '-00:00:00.000001', '1 mon', '00:00:00.01'),
    (6, '1582-10-10', NULL, NULL, NULL, '1900-01-01 00:00:00.1', NULL, '2024-10-27 02:30:00 Europe/Berlin', '-1 mons +1 days -00:00:01', NULL, NULL),
    (7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE public.times_default (
    d date DEFAULT '1000-01-01 BC', tz timestamptz DEFAULT '2001-02-03 04:05:06+07', i interval DEFAULT '1 mon 2 days' NOT NULL,
    CHECK (i > '-1 day' AND tz > '1900-01-01 00:00:00+00'));
INSERT INTO public.times_default DEFAULT VALUES;
CREATE INDEX ON public.times_default (d) WHERE tz >= '2000-01-01 00:00:00+05:45';
