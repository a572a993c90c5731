-- Rows of addresses, bits, identifiers and geometry.
CREATE TABLE public.addresses (id int PRIMARY KEY, i inet, c cidr, m macaddr, m8 macaddr8, u uuid, b bit(8), b1 bit, v bit varying, v4 bit varying(4));
INSERT INTO public.addresses VALUES
    (1, '0.0.0.0/0', '0.0.0.0/0', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00', '00000000-0000-0000-0000-000000000000', B'00000000', B'0', B'', B''),
    (2, '255.255.255.255', '255.255.255.255/32', 'ff-ff-ff-ff-ff-ff', 'ffff.ffff.ffff.ffff', 'ffffffff-ffff-ffff-ffff-ffffffffffff', B'11111111', B'1', repeat('10', 5000)::varbit, B'1010'),
    (3, '::', '::/0', '08:00:2b:01:02:03', '08:00:2b:01:02:03', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', X'A5', NULL, B'1', NULL),
    (4, '::ffff:1.2.3.4/96', '2001:4f8:3:ba::/64', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (5, '10.1.2.3/8', '10.0.0.0/8', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE public.shapes (id int PRIMARY KEY, p point, l line, s lseg, b box, pa path, po polygon, c circle);
INSERT INTO public.shapes VALUES
    (1, '(0,-0)', '{1,-1,0}', '[(0,0),(1,1)]', '((1,1),(0,0))', '[(0,0),(1,1),(2,0)]', '((0,0),(1,1),(2,0))', '<(0,0),0>'),
    (2, '(NaN,Infinity)', '{0,-1,1e300}', '[(-Infinity,NaN),(1e-300,1)]', '((Infinity,1),(0,-Infinity))', '((0,0))', '((NaN,0))', '<(NaN,Infinity),Infinity>'),
    (3, '(0.1,1e-320)', '{0.1,0.2,0.3}', '[(0.1,0.2),(0.3,0.30000000000000004)]', '((0.1,0.2),(0.3,0.4))', '((0.1,0.2),(0.3,0.4))', '((0.1,0.2),(0.3,0.4))', '<(0.1,0.2),0.3>'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE INDEX ON public.shapes USING gist (b);
CREATE INDEX ON public.shapes USING spgist (p);
CREATE INDEX ON public.addresses USING gist (i inet_ops);
CREATE TABLE public.shape_defaults (
    p point DEFAULT '(1,2)', b bit(3) DEFAULT B'101', v bit varying(5) DEFAULT B'01', i inet DEFAULT '10.0.0.1/8', m macaddr DEFAULT '08:00:2b:01:02:03',
    u uuid DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', box box DEFAULT '(1,1),(0,0)');
INSERT INTO public.shape_defaults DEFAULT VALUES;
