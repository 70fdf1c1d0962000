"""The whole desk in one process on virtual time, with everything that can go wrong drawn from a seed.

`make simulate` takes a million steps on all processors (`ARGS="--minutes 20 --replicas 2 --seed 7"`). It
tells every fault and every change of state of the inbox, the outbox and the timers with how often it was.
Of what fails it prints the last lines of the trace and the one command that takes exactly this course again:

    python -m tests.simulation --once --seed 9026 --replicas 1 --length 600

An episode is a seed: 600 steps in all weathers, then calm; once nothing waits any more, all must be as it
should be. A step is one act of a person, one fault, or one advance of the clock with all that follows.

What is real: the core, its statements, SQLite; router, delivery, scheduler, audit, sweep; every flow. What
stands in for the world:

- `loop`: an event loop whose time is virtual. All of a process carries its name, so that it can be killed at
  any await (no `finally` runs), stopped for minutes while others go on, or ended in order.
- `database`: SQLite in memory without a thread, group commit by process, one writer at a time. Writes are
  refused, stall, or are done without an answer; a process dies before or after its n-th commit; bells reach
  other processes late or never.
- `platforms`: a web chat, Telegram and Slack as data, which know what really stands in each room. They are
  busy, say when to come back, lose a request or an answer, answer slowly, are away, or somebody has blocked
  the desk. They tell an event until it is taken, tell old ones again, and each conversation in its order.
- `people`: requesters who report, answer, edit and judge, agents who do whatever agents do, all of whom press
  old buttons. Every word they say is marked. Three requesters never leave words behind, so that each of
  theirs must be in exactly one ticket in the end; the fourth does anything.
- `faults`, `chance`: what goes wrong, and what the machine would decide by itself.
- `truths`: what must hold. No note before a requester, no second copy without a lost answer, at any instant;
  the fold of the timeline, rights, pings, timers every 50 steps; every word, parcel, order and card at rest.

What it cannot see: what a disk or a server does to files, threads, sockets, the messengers' own formats, the
page. The kill runs, the contract tests of both databases and the emulators are for those."""
