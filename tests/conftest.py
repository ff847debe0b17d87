"""Hypothesis runs the same examples every time; a failing example is printed ready to paste."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "law",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
# Of mutation testing (mutation.py): that a law fails is all that is asked, not its smallest example.
settings.register_profile("mutation", parent=settings.get_profile("law"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("law")
