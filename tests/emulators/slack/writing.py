"""People writing: messages, files, edits, reactions; coming and going."""

import uuid
from collections.abc import Sequence
from typing import Any

from tests.emulators.slack import mrkdwn
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.files import File, Stored
from tests.emulators.slack.messages import Message
from tests.emulators.slack.person import Person


class Writer(Person):
    """A `User` as far as writing goes."""

    async def send(
        self,
        text: str = "",
        *,
        channel: Channel | None = None,
        thread: Message | None = None,
        broadcast: bool = False,
        files: Sequence[File] = (),
        markup: str = "",
        blocks: list[dict[str, Any]] | None = None,
        told: bool = True,
    ) -> Message:
        """Write to the app, into `channel`, or under a message (`thread`; `broadcast`: also to its channel).
        `text` is what they type: it is escaped, addresses link themselves, `@Name` and `#name` call. `markup`
        is Slack's own text instead; `told=False` keeps the event back, as when Slack fails to tell it."""
        where = thread.channel if thread is not None else channel or self.dm
        assert not self.deleted, f"{self!r} is deactivated"
        assert where.kind != "im" or self.world.messages_tab, (
            "the Messages tab is off: nobody can write there"
        )
        assert self.id in where.members, f"{self!r} is not in {where!r}"
        assert not where.archived, f"{where!r} is archived"
        sent = markup or mrkdwn.typed(text, self.world.callable_names())
        stored = [self._attach(file) for file in files]
        rich = [mrkdwn.rich_text(sent, lambda: self.world.names.fresh("b"))] if sent and not files else []
        message = where.add(
            self,
            text=sent,
            blocks=blocks if blocks is not None else rich,
            files=stored,
            subtype="file_share" if stored else "",
            client_msg_id="" if stored else str(uuid.uuid4()),
            thread_ts=(thread.thread_ts or thread.ts) if thread is not None else "",
            broadcast=broadcast,
        )
        for one in stored:
            one.shares.append((where.id, message.ts))
        if told:
            self.world.tell.said(message)
        return message

    def _attach(self, file: File) -> Stored:
        world = self.world
        stored = Stored(world.names.fresh("F"), file.name, file.data, self, world.times.unix(), file.title)
        stored.size = len(file.data) if file.size is None else file.size
        return world.files.keep(stored)

    async def edit(self, message: Message, text: str, *, markup: str = "") -> None:
        assert message.user is self, "people edit their own messages"
        before = message.json()
        message.edits.append(message.text)
        message.text = markup or mrkdwn.typed(text, self.world.callable_names())
        message.blocks = [mrkdwn.rich_text(message.text, lambda: self.world.names.fresh("b"))]
        message.edited = {"user": self.id, "ts": f"{self.world.times.unix()}.000000"}
        self.world.tell.changed(message, before)
        self.world.stir()

    async def delete(self, message: Message) -> None:
        """Their own; under a message with replies stays a tombstone."""
        before = message.json()
        message.channel.drop(message)
        self.world.tell.removed(message, before)

    async def react(self, message: Message, name: str) -> None:
        """`name` without colons: `eyes`, `white_check_mark`, `ticket`."""
        who = message.reactions.setdefault(name, [])
        assert self.id not in who, "they have put this one already"
        who.append(self.id)
        self.world.tell.reacted(message, self, name, added=True)
        self.world.stir()

    async def unreact(self, message: Message, name: str) -> None:
        message.reactions[name].remove(self.id)
        if not message.reactions[name]:
            del message.reactions[name]
        self.world.tell.reacted(message, self, name, added=False)

    async def join(self, channel: Channel) -> None:
        await channel.invite(self)

    async def leave(self, channel: Channel) -> None:
        await channel.drop_member(self)

    async def deactivate(self) -> None:
        """An administrator closes the account: user_change tells it, and messages to them still succeed."""
        self.deleted = True
        self.world.tell.person(self)

    async def change(self, **more: Any) -> None:
        """A new `real_name`, `display_name`, `locale` or `tz`."""
        for name, value in more.items():
            assert hasattr(self, name), f"people have no {name}"
            setattr(self, name, value)
        self.world.tell.person(self)
