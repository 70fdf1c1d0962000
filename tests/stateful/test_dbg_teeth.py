import pytest
import tests.stateful.test_leaks as t
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
P=settings(t.PROFILE, phases=(Phase.generate,), max_examples=25)
@pytest.mark.parametrize("what",["keep_moved","refs"])
def test_x(what, monkeypatch):
    from core import sharing
    import bot.sharing as bs, bot.flows.references as r
    async def none(*a, **k): pass
    if what=="keep_moved": monkeypatch.setattr(sharing,"_changed",none)
    if what=="refs":
        async def fp(tx, text, reader, here):
            return [await r._for_staff(tx, x) for x in await r._named(tx, text, here)]
        monkeypatch.setattr(r,"for_person",fp)
    if what=="notes":
        old=sharing.follow
        async def follow(tx,e,ticket):
            if e.kind=="noted": await sharing._said(tx,e,ticket)
            await old(tx,e,ticket)
        monkeypatch.setattr(sharing,"follow",follow)
        async def m(tx,parcel,*k):
            from core.tickets import store
            return await store.message(tx, parcel.facts["message"])
        monkeypatch.setattr(bs,"_message",m)
    with pytest.raises(AssertionError) as e:
        run_state_machine_as_test(t.Leaks, settings=P)
    print(str(e.value)[:300])
