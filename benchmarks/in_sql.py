"""The twelve queries in DuckDB's SQL, tuned by hand; each gives the numbers of the images that satisfy it.

The table `e` holds entities with a score of at least 0.5, in order of image, with columns for centroid, area, diagonal
and box. `gap` and `common` are exact: shapely over outlines decoded before the clock starts, called for the pairs that
boxes leave open.
"""

NEAR = "greatest(1, least(a.diag, b.diag))"
BOX_GAP = (
    "sqrt(pow(greatest(a.min_x - b.max_x, b.min_x - a.max_x, 0), 2)"
    " + pow(greatest(a.min_y - b.max_y, b.min_y - a.max_y, 0), 2))"
)


def close(a: str, b: str, limit: str = NEAR) -> str:
    """Pairs (image, x, y) of two tables whose gap is at most the limit."""
    return (
        f"(select image, x, y from (select a.image, a.id as x, b.id as y, {limit} as lim from {a} a join {b} b"
        f" on a.image = b.image and a.id != b.id and {BOX_GAP} <= {limit}) where gap(x, y) <= lim)"
    )


def of(name: str) -> str:
    """Entities of a class."""
    return f"(select * from e where label = '{name}')"


def both(name: str, other: str) -> str:
    """Entities of a class in images that have the other class too."""
    return f"(select * from e where label = '{name}' and image in (select image from e where label = '{other}'))"


SQL: dict[str, str] = {
    "counts": "select image from e group by image having count(*) filter (label = 'ship') >= 3"
    " and count(*) filter (label = 'harbor') = 0",
    "more than twice as many": "select image from e group by image having count(*) filter (label = 'small_vehicle')"
    " > 2 * count(*) filter (label = 'large_vehicle') and count(*) filter (label = 'bridge') > 0",
    "near": f"select distinct image from {close(both('ship', 'harbor'), of('harbor'))}",
    "left of": f"select distinct a.image from {of('plane')} a join {of('storage_tank')} b"
    " on a.image = b.image and a.cx < b.cx and a.area > b.area",
    "every one near some": f"with ok as materialized (select distinct x from {close(both('ship', 'harbor'), of('harbor'))})"
    f" select image from {of('ship')} left join ok on id = x group by image having count(*) = count(x)",
    "none near": f"with ok as materialized (select distinct x from {close(of('plane'), of('plane'))})"
    f" select distinct image from {of('plane')} where id not in (select x from ok)",
    "counted near": f"select image from {close(both('large_vehicle', 'small_vehicle'), of('small_vehicle'))}"
    " group by image having count(distinct x) >= 5",
    "overlap without a class": "select distinct image from (select a.image, a.id as x, b.id as y,"
    " least(a.area, b.area) as smaller from e a join e b on a.image = b.image and a.id < b.id and a.label != b.label"
    " and a.min_x <= b.max_x and b.min_x <= a.max_x and a.min_y <= b.max_y and b.min_y <= a.max_y)"
    " where common(x, y) >= 0.001 * smaller",
    "between": "with p as materialized (select a.image, a.cx as ax, a.cy as ay, b.cx - a.cx as zx, b.cy - a.cy as zy"
    f" from {both('harbor', 'ship')} a join {of('harbor')} b on a.image = b.image and a.id < b.id)"
    f" select distinct p.image from p join {both('ship', 'harbor')} s on p.image = s.image"
    " and (cx - ax) * zx + (cy - ay) * zy > 0 and (cx - ax) * zx + (cy - ay) * zy < zx * zx + zy * zy"
    " and abs((cx - ax) * zy - (cy - ay) * zx) <= 0.25 * (zx * zx + zy * zy)",
    "triangle": f"with lt as materialized (select * from {close(both('large_vehicle', 'tennis_court'), of('tennis_court'))}),"
    " s as materialized (select * from e where label = 'small_vehicle' and image in (select image from lt)),"
    f" st as materialized (select * from {close('s', of('tennis_court'))}),"
    f" sl as materialized (select * from {close('s', '(select * from e where id in (select x from lt))')})"
    " select distinct sl.image from sl join st on sl.x = st.x join lt on lt.x = sl.y and lt.y = st.y",
    "chain": f"with s as materialized {both('small_vehicle', 'bridge')},"
    f" ok as materialized (select distinct x from {close('s', 's')}),"
    " lonely as materialized (select * from s where id not in (select x from ok)),"
    f" bad as materialized (select distinct x from {close(of('bridge'), 'lonely', '300')})"
    f" select distinct image from {of('bridge')} where id not in (select x from bad)",
    "counted neighbours": f"with c as materialized (select x from {close(both('small_vehicle', 'harbor'), of('harbor'), 'greatest(1, 3 * least(a.diag, b.diag))')}),"
    f" s as materialized (select * from {of('small_vehicle')} where id not in (select x from c)),"
    f" n as materialized (select image, x, count(*) as k from {close('s', of('small_vehicle'))} group by image, x having k > 3),"
    " m as materialized (select * from s where id in (select x from n)),"
    f" l as materialized (select x, count(*) as k from {close('m', of('large_vehicle'), '100')} group by x)"
    " select distinct image from n left join l on n.x = l.x where n.k > 2 * coalesce(l.k, 0) + 3",
}
