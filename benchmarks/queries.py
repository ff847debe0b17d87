"""Twelve queries of rising depth: the name of each, and its formula."""

QUERIES: dict[str, str] = {
    "counts": "exists>=3 x (ship(x)) & ~(exists y (harbor(y)))",
    "more than twice as many": "count x (small_vehicle(x)) > 2 * count x (large_vehicle(x)) & exists x (bridge(x))",
    "near": "exists x (ship(x) & exists y (harbor(y) & near(x, y)))",
    "left of": "exists x (plane(x) & exists y (storage_tank(y) & left_of(x, y) & larger(x, y)))",
    "every one near some": "exists x (ship(x)) & forall x (ship(x) -> exists y (harbor(y) & near(x, y)))",
    "none near": "exists x (plane(x) & ~(exists y (plane(y) & x != y & near(x, y))))",
    "counted near": "exists>=5 x (large_vehicle(x) & exists y (small_vehicle(y) & near(x, y)))",
    "overlap without a class": "exists x (exists y (x != y & overlaps(x, y) & ~same_class(x, y)))",
    "between": "exists x (ship(x) & exists y (harbor(y) & exists z (harbor(z) & y != z & between(x, y, z))))",
    "triangle": "exists x (small_vehicle(x) & exists y (large_vehicle(y) & near(x, y) & exists z (tennis_court(z)"
    " & near(y, z) & near(x, z))))",
    "chain": "exists x (bridge(x) & forall y (small_vehicle(y) & distance(x, y) <= 300 px ->"
    " exists z (small_vehicle(z) & y != z & near(y, z))))",
    "counted neighbours": "exists x (small_vehicle(x) & count y (small_vehicle(y) & x != y & near(x, y))"
    " > 2 * count y (large_vehicle(y) & distance(x, y) <= 100 px) + 3 & forall z (harbor(z) -> far(x, z)))",
}
