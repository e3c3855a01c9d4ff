#pragma once

#include <stop_token>

#include <millrace/json.hpp>

namespace millrace::tasks {

/// What stands in `data`, by its shape:
/// a list of numbers: count, sum, min, max, mean, stddev, p50, p90, p95, p99 · a text: lines, words, characters,
/// bytes · a list of objects (or one object): for each field how often it is there, which kinds it has and the numbers
/// or lengths above · any other list: how many of each kind · one number or bool: as a list of one.
/// At most 200 fields are described, the others are counted in `fields_omitted`. A stop ends it early.
Json summarise(const Json& data, std::stop_token stop);

}  // namespace millrace::tasks
