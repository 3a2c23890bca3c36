%% The same work in Erlang: erl -noshell -run actors main TEST COUNT
-module(actors).
-export([main/1]).

main([Test, Count]) ->
    io:format("~p~n", [measure(list_to_atom(Test), list_to_integer(Count))]),
    halt(0).

rate(Count, Work) ->
    Started = erlang:monotonic_time(microsecond),
    Work(),
    Count * 1.0e6 / max(1, erlang:monotonic_time(microsecond) - Started).

ask(Pid) ->
    Pid ! {ask, self()},
    receive {seen, Seen} -> Seen end.

sink(Seen) ->
    receive
        1 -> sink(Seen + 1);
        {ask, From} -> From ! {seen, Seen}, sink(Seen)
    end.

ring(After) ->
    receive
        {after_me, Pid} -> ring(Pid);
        {0, From} -> From ! done, ring(After);
        {Left, From} -> After ! {Left - 1, From}, ring(After)
    end.

measure(tell, Count) ->
    Pid = spawn(fun() -> sink(0) end),
    rate(Count, fun() -> [Pid ! 1 || _ <- lists:seq(1, Count)], Count = ask(Pid) end);
measure(fan, Count) ->
    Pids = [spawn(fun() -> sink(0) end) || _ <- lists:seq(1, 1000)],
    Each = Count div 1000,
    rate(Count, fun() ->
        [[Pid ! 1 || Pid <- Pids] || _ <- lists:seq(1, Each)],
        [Each = ask(Pid) || Pid <- Pids]
    end);
measure(ring, Count) ->
    Links = [First | Rest] = [spawn(fun() -> ring(none) end) || _ <- lists:seq(1, 100)],
    lists:foreach(fun({Pid, After}) -> Pid ! {after_me, After} end, lists:zip(Links, Rest ++ [First])),
    rate(Count, fun() -> First ! {Count, self()}, receive done -> ok end end);
measure(spawn, Count) ->
    rate(Count, fun() ->
        Pids = [spawn(fun() -> sink(0) end) || _ <- lists:seq(1, Count)],
        0 = ask(lists:last(Pids))
    end);
measure(memory, Count) ->
    Before = erlang:memory(processes),
    Pids = [spawn(fun() -> sink(0) end) || _ <- lists:seq(1, Count)],
    [0 = ask(Pid) || Pid <- Pids],
    (erlang:memory(processes) - Before) / Count.
