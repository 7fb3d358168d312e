-- Sends requests that were made beforehand, each of them once, and counts the answers:
--     wrk ... --script generator.lua URL -- FILE STATUS
-- FILE holds requests as they go over the wire, each behind its length in bytes and a line end.
-- wrk asks for one request before it starts, to look at it, and does not send that one.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    local length = file:read("*n", "*l")
    prepared, taken = {}, 0
    while length do
        prepared[#prepared + 1] = file:read(length)
        length = file:read("*n", "*l")
    end
    file:close()
    expected = tonumber(args[2])
    answered, unexpected, sample, ran_out = 0, 0, "", 0
end

function request()
    if taken == #prepared then
        ran_out = 1
        wrk.thread:stop()
        return prepared[taken]
    end
    taken = taken + 1
    return prepared[taken]
end

function response(status, headers, body)
    if status == expected then
        answered = answered + 1
        return
    end
    unexpected = unexpected + 1
    if sample == "" then
        sample = status .. " " .. string.sub(body, 1, 300)
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    local lost = errors.connect + errors.read + errors.write + errors.timeout
    local thread = threads[1]
    io.write(string.format("\nfound %d %d %d %d %d %d %d\nsample %s\n",
        summary.duration, thread:get("answered"), thread:get("unexpected"), lost,
        thread:get("ran_out"), latency:percentile(50), latency:percentile(99),
        thread:get("sample")))
end
