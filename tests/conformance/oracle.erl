%% Runs the scripts of test_against_erlang.py on OTP's own supervisor and writes down what can be observed, one line a script.
%%
%% erl -noshell -s oracle main -extra SCRIPTS OBSERVATIONS
-module(oracle).
-behaviour(supervisor).
-export([main/0, init/1, start_child/1]).

main() ->
    [In, Out] = init:get_plain_arguments(),
    logger:set_primary_config(level, none),
    process_flag(trap_exit, true),
    [ets:new(T, [named_table, public, set]) || T <- [outcomes, pids]],
    ets:new(seen, [named_table, public, ordered_set]),
    {ok, Scripts} = file:consult(In),
    {ok, File} = file:open(Out, [write, delayed_write]),
    [file:write(File, [lists:join($|, run(S)), $\n]) || S <- Scripts],
    file:close(File),
    halt(0).

init(X) -> {ok, X}.

%% --- children: what their start does is scripted; afterwards they obey, and say when they are asked to stop ---

start_child(Id) ->
    case next_outcome(Id) of
        ok -> see(["start ", name(Id)]), {ok, spawn_child(Id)};
        ignore -> see(["ignore ", name(Id)]), ignore;
        fail -> see(["fail ", name(Id)]), {error, scripted}
    end.

spawn_child(Id) ->
    Parent = self(),
    Pid = spawn_link(fun() -> process_flag(trap_exit, true), Parent ! {self(), trapping}, obey(Id, Parent) end),
    receive {Pid, trapping} -> ok end,
    ets:insert(pids, {Id, Pid}),
    Pid.

obey(Id, Parent) ->
    receive
        {'EXIT', Parent, Reason} -> see(["stop ", name(Id)]), exit(Reason);
        {die, Reason} -> exit(Reason)
    end.

next_outcome(Id) ->
    case ets:lookup(outcomes, Id) of
        [{_, [First | Rest]}] -> ets:insert(outcomes, {Id, Rest}), First;
        _ -> ok
    end.

%% --- one script ---

run({Flags, Children, Outcomes, Steps}) ->
    [ets:delete_all_objects(T) || T <- [outcomes, pids, seen]],
    ets:insert(outcomes, Outcomes),
    case supervisor:start_link(?MODULE, {Flags, [spec(C) || C <- Children]}) of
        {ok, S} -> see("up"), steps(S, Flags, Steps);
        {error, _} -> see("not started"), receive {'EXIT', _, _} -> ok end
    end,
    [Line || {_, Line} <- ets:tab2list(seen)].

steps(S, Flags, []) ->
    exit(S, shutdown),
    see(["ended ", reason(await_exit(S))]),
    sort_stops(Flags);
steps(S, Flags, [Step | Rest]) ->
    step(S, Step),
    case settle(S) of
        {up, Listing} -> see(Listing), steps(S, Flags, Rest);
        {down, Reason} -> see(["down ", reason(Reason)]), sort_stops(Flags)
    end.

step(_, {outcomes, Id, List}) -> ets:insert(outcomes, {Id, List});
step(_, {die, Id, Reason}) -> kill_all([Id], Reason);
step(S, {die_together, Ids, Reason}) -> sys:suspend(S), kill_all(Ids, Reason), sys:resume(S);
step(S, {terminate_instance, Id}) -> call(fun() -> supervisor:terminate_child(S, pid(Id)) end);
step(S, {start, Spec}) -> call(fun() -> supervisor:start_child(S, spec(Spec)) end);
step(S, {start_instance, Id}) -> call(fun() -> supervisor:start_child(S, [Id]) end);
step(S, {Operation, Id}) -> call(fun() -> supervisor:Operation(S, Id) end).

call(Fun) ->
    see(["= ", result(catch Fun())]).

result(ok) -> "ok";
result({ok, undefined}) -> "ignored";
result({ok, _}) -> "ok";
result({error, already_present}) -> "already_present";
result({error, {already_started, _}}) -> "already_started";
result({error, {scripted, _}}) -> "start_failed";
result({error, scripted}) -> "start_failed";
result({error, Atom}) when is_atom(Atom) -> atom_to_list(Atom);
result({'EXIT', _}) -> "gone";
result(Other) -> io_lib:format("~0p", [Other]).

kill_all(Ids, Reason) ->
    [begin
         M = monitor(process, Pid),
         case Reason of kill -> exit(Pid, kill); _ -> Pid ! {die, Reason} end,
         receive {'DOWN', M, _, _, _} -> ok end
     end || Id <- Ids, Pid <- [pid(Id)], is_process_alive(Pid)].

pid(Id) ->
    case ets:lookup(pids, Id) of [{_, Pid}] -> Pid; [] -> dead_pid() end.

dead_pid() ->
    {Pid, M} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', M, _, _, _} -> Pid end.

%% Quiet: no dead child is listed, nobody is being restarted, and nothing waits in the supervisor's mailbox.
settle(S) ->
    case catch {supervisor:which_children(S), supervisor:count_children(S)} of
        {'EXIT', _} -> {down, await_exit(S)};
        {Children, Counts} ->
            Quiet = lists:all(fun({_, restarting, _, _}) -> false;
                                 ({_, undefined, _, _}) -> true;
                                 ({_, Pid, _, _}) -> is_process_alive(Pid) end, Children)
                andalso process_info(S, message_queue_len) =:= {message_queue_len, 0},
            case Quiet of
                true -> {up, listing(Children, Counts)};
                false -> erlang:yield(), settle(S)
            end
    end.

listing(Children, Counts) ->
    Rows = [[name(case Id of undefined -> id_of(Pid); _ -> Id end), case Pid of undefined -> "-"; _ -> "+" end]
            || {Id, Pid, _, _} <- Children],
    Ordered = case Children of [{undefined, _, _, _} | _] -> lists:sort(Rows); _ -> Rows end,
    ["[", lists:join(" ", Ordered), "] ", integer_to_list(proplists:get_value(active, Counts)), "/",
     integer_to_list(proplists:get_value(workers, Counts))].

id_of(Pid) -> [Id || {Id, P} <- ets:tab2list(pids), P =:= Pid].

await_exit(S) -> receive {'EXIT', S, Reason} -> Reason after 20000 -> exit(not_ended) end.

reason(shutdown) -> "shutdown";
reason(Other) -> io_lib:format("~0p", [Other]).

%% Instances are asked to stop all at once, so the order in which they say so means nothing.
sort_stops({simple_one_for_one, _, _}) -> sort_stops();
sort_stops(#{strategy := simple_one_for_one}) -> sort_stops();
sort_stops(_) -> ok.
sort_stops() ->
    {Stops, Others} = lists:partition(fun({_, L}) -> lists:prefix("stop ", lists:flatten(L)) end, ets:tab2list(seen)),
    Keys = [K || {K, _} <- Stops],
    Lines = lists:sort([lists:flatten(L) || {_, L} <- Stops]),
    ets:delete_all_objects(seen),
    ets:insert(seen, Others ++ lists:zip(Keys, Lines)).

spec({Id, Restart, Significant}) ->
    #{id => Id, start => {?MODULE, start_child, [Id]}, restart => Restart, significant => Significant};
spec({template, Restart}) ->
    #{id => template, start => {?MODULE, start_child, []}, restart => Restart}.

see(Line) -> ets:insert(seen, {erlang:unique_integer([monotonic]), Line}).
name(Ids) when is_list(Ids) -> [name(Id) || Id <- Ids];
name(Id) -> atom_to_list(Id).
