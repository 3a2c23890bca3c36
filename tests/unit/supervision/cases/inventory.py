"""Every case of the suites that we follow (OTP's ``supervisor_SUITE``, Elixir's, Akka's, probes of our own): number, rank, name.

Rank: M must have a test, S should where the feature exists, X only if it exists. ``LEFT_OUT`` says which have none, and why.
A test names its cases in the first words of its docstring: ``Case 24``, ``Cases 3 and 102``, ``Cases 171 to 173``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Case:
    number: int
    rank: str
    name: str


_LISTED = """
1 M sup_start_normal
2 M sup_start_ignore_init
3 M sup_start_ignore_child
4 M sup_start_ignore_temporary_child
5 M sup_start_ignore_temporary_child_start_child
6 M sup_start_ignore_temporary_child_start_child_simple
7 M sup_start_ignore_permanent_child_start_child_simple
8 M sup_start_error_return
9 M sup_start_fail
10 M sup_start_child_returns_error
11 M sup_start_restart_child_returns_error
12 M sup_start_child_returns_error_simple
13 M sup_start_map
14 M sup_start_map_simple
15 M sup_start_map_faulty_specs
16 M sup_stop_infinity
17 M sup_stop_timeout
18 M sup_stop_timeout_dynamic
19 M sup_stop_brutal_kill
20 M sup_stop_brutal_kill_dynamic
21 M sup_stop_race
22 M sup_stop_non_shutdown_exit_dynamic
23 M extra_return
24 M child_adm
25 M child_adm_simple
26 M child_specs
27 M child_specs_map
28 M sup_flags
29 M permanent_normal
30 M transient_normal
31 M temporary_normal
32 M permanent_shutdown
33 M transient_shutdown
34 M temporary_shutdown
35 S faulty_application_shutdown
36 M permanent_abnormal
37 M transient_abnormal
38 M temporary_abnormal
39 M temporary_bystander
40 M multiple_restarts
41 M one_for_one
42 M one_for_one_escalation
43 M one_for_all
44 M one_for_all_escalation
45 M one_for_all_other_child_fails_restart
46 M simple_one_for_one
47 M simple_one_for_one_shutdown
48 S simple_one_for_one_extra
49 S simple_one_for_one_corruption
50 M simple_one_for_one_escalation
51 M rest_for_one
52 M rest_for_one_escalation
53 M rest_for_one_other_child_fails_restart
54 M child_unlink
55 M tree
56 M count_children
57 S count_children_supervisor
58 M count_restarting_children
59 S do_not_save_start_parameters_for_temporary_children
60 M do_not_save_child_specs_for_temporary_children
61 S simple_one_for_one_scale_many_temporary_children
62 M simple_global_supervisor
63 M hanging_restart_loop
64 M hanging_restart_loop_rest_for_one
65 M hanging_restart_loop_simple
66 M order_of_children
67 S scale_start_stop_many_children
68 M nonsignificant_temporary
69 M nonsignificant_transient
70 M significant_temporary
71 M significant_transient
72 M significant_simple
73 M significant_bystander
74 M significant_escalation
75 M E2: a start that always fails
76 S E1: edge of the window
77 M E3: one_for_all, a later one fails
78 M E3b: rest_for_one, a later one fails
79 S E4: a retry covered by a later pass
80 M E10: three deaths at once
81 M E14: rollback
82 M E15: a restart is ignored
83 M E15b: of an instance
84 M E11: an inner supervisor gives up
85 M E12: a supervisor is killed
86 M E22: time limits of a stop
87 M E23: one after the other, or all at once
88 M E30: restarts by hand are not counted
89 M E31: all_significant, one by hand
90 S all_significant, one is restarting
91 M E32: a significant bystander
92 M E33: deleted and added again
93 M E34: a pass revives
94 M E35: a strange reason at the end
95 M E36: during a retry loop
96 M clean ends disturb nobody
97 M order of giving up
98 M exit of the parent
99 M strangers and junk
100 M a start that returns a dead child
101 S an unlinked child dies
102 M an ignored child is started by hand
103 M nested intensities
104 S calls wait for a start
105 M starts that fail, are ignored, or take too long
106 M a name that is taken
107 M a handler fails
108 M monitor of what is gone
109 M call to what is gone
110 M asked to end
111 M killed
112 M stop with and without an answer
113 M a call takes too long
114 M timer of a dead process
115 S a clean end of another
116 X link
117 M demonitor with flush
118 S order of messages and Down
119 S generates child_spec/1; child_spec/2
120 S init/2
121 M start_link/2 with via; .../3 with global/local
122 M start_link/2
123 M start_child/2 ...
124 M with valid child spec
125 M child life cycle
126 M can be supervised directly; multiple supervisors ... simple child spec
127 M set default options
128 M with non-ok init
129 M with registered process
130 M supports extra arguments
131 M with invalid child spec; with invalid valid shutdown
132 M with different returns
133 M with throw/error/exit
134 M with max_children
135 M temporary child is not restarted regardless of reason
136 M transient child is restarted unless normal/shutdown/{shutdown,_}
137 M permanent child is restarted regardless of reason
138 M child is restarted with different values
139 M restarting on init children counted in max_children
140 M restarting on exit children counted in max_children
141 M restarting a child with extra_arguments ...
142 M child is restarted when trying again
143 M child triggers maximum restarts
144 M child triggers maximum intensity when trying again
145 M with valid shutdown
146 M terminates children with brutal kill / infinity / integer shutdown
147 M ... infinity|integer shutdown and abnormal reason
148 M terminates children with expired integer shutdown
149 M terminates children with permanent restart and normal reason
150 M terminates with mixed children
151 M terminate_child: brutal kill / integer shutdown
152 M terminates restarting child
153 S mixed time limits
154 X uses the atom name as id; via value as id
155 X on success with atom name; via name
156 X with_arguments
157 X raises ...
158 X stop/1 is synchronous; with via tuple
159 X partitions/1 raises noproc
160 X resize!/1
161 X which_children / count_children
162 X one partition is killed
163 X async/1: spawns tasks under the supervisor
164 X async_nolink
165 X with custom shutdown
166 X raises when :max_children is reached
167 X start_child/1; terminate_child
168 X await: demonitors ... on timeout; exits on task throw/error/exit
169 X async_stream
170 X with $callers
171 M clean up registry on process crash
172 M has unique registrations; across processes
173 M has unique registrations even if partition is delayed
174 S counts 0 keys / the number of keys
175 M updates current process value
176 M unregisters process by key; with no entries
177 S unregister_match / match / count_match / select ...; supports reserved keys; compares using ===
178 M via callbacks; uses value provided in via
179 S dispatches to a single key
180 S allows listeners
181 S links and unlinks on register/unregister
182 M raises on unknown registry name
183 S doesn't grow on already_registered
184 M lookup right after a kill
185 X has duplicate registrations (across processes); counts; unregisters by key
186 X dispatches to multiple keys in serial / in parallel
187 X raises if attempt to be used on via; update_value is not supported; rejects invalid tuple syntax
188 S locks when using the same key; does not lock when using different keys
189 S restart after exponential backoff
190 S reset exponential backoff count after reset timeout; default resetBackoffAfter to average of min and max backoff
191 S fail if reaching maximum number of restarts with backoff
192 S correctly calculate the delay; support manual reset; reply to sender if replyWhileStopped; stop if final stop message
193 X publish dropped messages while backing off and stash is full
194 X log at critical level after specified restartWithBackoff attempts
195 X support nesting to handle different exceptions; resume when handled exception
196 M not catch fatal error
197 M notify with one Terminated message when an Actor is stopped; when already dead; all monitors; discard when unwatched
198 S fail a monitor which does not handle Terminated
199 S watch with custom message; idempotent invocations of watch
200 S not lose system messages when an exception occurs when processing one; attempt restart when exception during restart
201 S stays dead after max restarts within time range; restarts after crashes not within time range
202 X must suspend dead-letters logging when reaching limit and then re-enable
203 M an ask that raises
204 M a proxy call that raises
205 M SystemExit in one actor
206 M BaseException in every hook
207 M on_start raises
208 M a start that hangs
209 M a handler that hangs is terminated
210 M a handler that hangs is killed
211 M too many abandoned
212 M stop before a backlog, and after it
213 M an ask races with the end
214 M what is true when Down is seen
215 M old timers
216 M an actor that knows nothing of us
217 M ActorRegistry.stop_all
218 M a storm of crashes
219 M a handler that blocks in a pool
220 S signals of the root
221 S fork in user code
222 S jumps of the wall clock
223 M ways to end of a process
224 M stop of a process and what it started
225 M a stop is no crash
226 M one process dies
227 M a command that is not there
228 M minimum uptime
229 S back-off at its cap
230 M readiness and watchdog
231 M the supervisor is killed
232 M requests to a process that died
233 S a flood of output
234 S shared listening socket
235 S descriptors and zombies
236 S the root gives up
"""

CASES = tuple(
    Case(int(number), rank, name)
    for number, rank, name in (line.split(" ", 2) for line in _LISTED.strip().splitlines())
)

#: Numbers -> why there is no test, as the page says it.
LEFT_OUT: dict[tuple[int, ...], str] = {
    tuple(range(154, 163)): "no PartitionSupervisor: the hub needs none",
    tuple(range(163, 171)): "no Task.Supervisor: what runs once is a temporary child",
    (186, 187): "a duplicate registry lists its owners; it does not dispatch to them, and no names go through it",
    (188,): "a registry has no locks: an actor that owns the key does the same",
    (
        193,
        194,
    ): "back-off keeps no messages and logs every restart alike; `NamedRef(while_down=...)` queues, drops or fails",
    (195,): "no resume by kind of exception: `expected_errors` says which are no failures",
    (198,): "no strict watchers: a `Down` that nobody handles is a message like others",
    (202,): "dead letters are counted and kept, and logged at DEBUG only: there is nothing to suspend",
}

#: Number -> the part of it that is not tested, and why.
LEFT_OUT_IN_PART: dict[int, str] = {
    13: "`modules`: no code upgrade here",
    15: "unknown keys: a specification is a typed object (Q8)",
    26: "a list that is none, and `modules`: typed objects again",
    62: "global names: one process, and names are local to a runtime",
    85: "children that trap exits do not run `on_stop`: a supervisor that is gone revokes them",
    110: "an actor cannot refuse to be asked by a stranger: `on_stop` runs whoever asks",
    121: "global names and `via` modules: names are local to a runtime",
    126: "global names and `via` modules",
    127: "`extra_arguments` and `max_children` are tested with 130 and 134",
    177: "match specifications: a predicate in Python selects; keys compare as Python's do, so `1 == 1.0`",
    192: "what to answer while a child pauses: `NamedRef` decides; a final stop is a clean end of a transient child",
    197: "a name that is monitored is looked up once, so a restart is an end (OTP's rule, not Akka's)",
    204: "in `reply` mode a failure that nobody looks at is a line of the log, not an event",
}

_NAMED = re.compile(r"\b[Cc]ases? (\d[^.:]*)")
_NUMBERS = re.compile(r"(\d+)(?:[a-z])?(?: to (\d+))?")


def claims() -> Iterator[tuple[int, str]]:
    """(number of a case, name and docstring of a test that says to be about it)."""
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                said = ast.get_docstring(node) or ""
                for listed in _NAMED.findall(said):
                    for first, last in _NUMBERS.findall(re.sub(r"\([^)]*\)", "", listed)):
                        yield from (
                            (number, f"{node.name} {said}") for number in range(int(first), int(last or first) + 1)
                        )
