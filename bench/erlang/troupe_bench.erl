%% What the same work costs in Erlang: a gen_server that adds an amount to its balance and holds 300 B
%% of state, called by one process and by 64, started 100,000 times, and weighed while idle.
-module(troupe_bench).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

init(Key) ->
    {ok, #{key => Key, balance => 0, note => lists:seq(1, 18)}}.

handle_call(#{amount := Amount}, _From, State = #{balance := Balance}) ->
    {reply, Balance + Amount, State#{balance := Balance + Amount}}.

handle_cast(_, State) ->
    {noreply, State}.

main(["erlang-call-1", Ms]) -> rate("erlang-call-1", 1, list_to_integer(Ms));
main(["erlang-call-64", Ms]) -> rate("erlang-call-64", 64, list_to_integer(Ms));
main(["erlang-start", Ms]) -> start_rate(list_to_integer(Ms));
main(["erlang-bytes", _]) -> bytes(100000).

rate(Id, Callers, Ms) ->
    {ok, Server} = gen_server:start(?MODULE, alice, []),
    _ = closed_loop(Server, Callers, max(200, Ms div 5)),
    {Calls, Us} = closed_loop(Server, Callers, Ms),
    print(Id, Calls * 1000000 / Us).

closed_loop(Server, Callers, Ms) ->
    StartedAt = erlang:monotonic_time(microsecond),
    Until = StartedAt + Ms * 1000,
    Parent = self(),
    Pids = [spawn_link(fun() -> Parent ! {self(), call_until(Server, Until, 0)} end)
            || _ <- lists:seq(1, Callers)],
    Calls = lists:sum([receive {Pid, Count} -> Count end || Pid <- Pids]),
    {Calls, erlang:monotonic_time(microsecond) - StartedAt}.

call_until(Server, Until, Count) ->
    call_times(Server, 64),
    case erlang:monotonic_time(microsecond) >= Until of
        true -> Count + 64;
        false -> call_until(Server, Until, Count + 64)
    end.

call_times(_, 0) -> ok;
call_times(Server, Times) ->
    _ = gen_server:call(Server, #{amount => 1}, infinity),
    call_times(Server, Times - 1).

start_rate(Ms) ->
    StartedAt = erlang:monotonic_time(microsecond),
    Count = start_until(StartedAt + Ms * 1000, 0),
    Us = erlang:monotonic_time(microsecond) - StartedAt,
    print("erlang-start", Count * 1000000 / Us).

%% The Erlang node holds at most 262,144 processes by default, so each is let go after its answer.
start_until(Until, Count) ->
    {ok, Server} = gen_server:start(?MODULE, Count, []),
    _ = gen_server:call(Server, #{amount => 1}, infinity),
    exit(Server, kill),
    case erlang:monotonic_time(microsecond) >= Until of
        true -> Count + 1;
        false -> start_until(Until, Count + 1)
    end.

bytes(Count) ->
    Before = erlang:memory(total),
    Servers = [element(2, gen_server:start(?MODULE, Key, [])) || Key <- lists:seq(1, Count)],
    [gen_server:call(Server, #{amount => 1}, infinity) || Server <- Servers],
    After = erlang:memory(total),
    print("erlang-bytes", (After - Before) / length(Servers)).

print(Id, Value) ->
    io:format("{\"~s\":~.3f}~n", [Id, float(Value)]).
