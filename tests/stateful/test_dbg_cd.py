import tests.stateful.test_desk as t
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
def test_x():
    run_state_machine_as_test(t.Desk, settings=settings(t.PROFILE, phases=(Phase.generate,)))
