-- What stands in a tablespace of its own, and what is on the way there.
CREATE TABLE public.apart (id int PRIMARY KEY USING INDEX TABLESPACE fidelity_space, t text, n int UNIQUE, r int4range, EXCLUDE USING gist (r WITH &&) USING INDEX TABLESPACE fidelity_space)
    TABLESPACE fidelity_space;
INSERT INTO public.apart SELECT i, 't' || i, i, int4range(i, i + 1) FROM generate_series(1, 5) i;
CREATE INDEX apart_t ON public.apart (t) TABLESPACE fidelity_space;
CREATE INDEX apart_here ON public.apart (lower(t));
CREATE TABLE public.here (id int PRIMARY KEY, t text);
CREATE UNIQUE INDEX here_apart ON public.here (t) TABLESPACE fidelity_space;
ALTER TABLE public.here REPLICA IDENTITY FULL;
CREATE MATERIALIZED VIEW public.seen TABLESPACE fidelity_space AS SELECT count(*) AS n FROM public.apart;
CREATE TABLE public.parted (id int, k int) PARTITION BY RANGE (id) TABLESPACE fidelity_space;
CREATE TABLE public.parted_1 PARTITION OF public.parted FOR VALUES FROM (1) TO (10);
CREATE TABLE public.parted_2 PARTITION OF public.parted FOR VALUES FROM (10) TO (20) TABLESPACE pg_default;
CREATE INDEX parted_k ON public.parted (k) TABLESPACE fidelity_space;
CREATE INDEX parted_id ON public.parted (id);
INSERT INTO public.parted SELECT i, i FROM generate_series(1, 19) i;
CREATE UNLOGGED TABLE public.unlogged_apart (a int) TABLESPACE fidelity_space;
COMMENT ON TABLE public.apart IS 'on another disk';
CREATE TABLE public.by_default (a int);
