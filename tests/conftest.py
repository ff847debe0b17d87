"""Hypothesis runs the same examples every time; a failing example is printed ready to paste."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "law",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
settings.load_profile("law")
