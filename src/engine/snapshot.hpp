#pragma once

#include <string>
#include <string_view>

#include "engine/state.hpp"
#include "storage/write.hpp"

namespace millrace::engine {

/// The parts of a checkpoint that are not blocks.
///
/// The *globals* are one logged record: counters, names, lines, workers and leases as of one commit group. *Chunk*
/// records say what is in the stored blocks, 256 blocks each, so that opening reads no block. Both are versioned, and
/// end in a CRC-32C over key and value.

inline constexpr std::string_view globals_key = "checkpoint";
std::string chunk_key(std::uint64_t chunk, std::uint64_t version);
/// Reads a key that `chunk_key` made.
bool read_chunk_key(std::string_view key, std::uint64_t& chunk, std::uint64_t& version);

std::string write_globals(const State& state);
/// Fills an empty state, but for its blocks and leases; those it returns are leases to rebuild.
struct StoredLease {
  Seq seq = 0;
  std::uint64_t fence = 0;
  std::uint32_t worker = 0;
  EngineTime granted = 0;
};
bool read_globals(std::string_view bytes, State& state, std::vector<StoredLease>& leases);

/// What a checkpoint replaced and has to erase. It is committed with the globals, because the erasing comes after them
/// and is not logged: whoever opens the store does it again.
inline constexpr std::string_view garbage_key = "garbage";
std::string write_garbage(const storage::Write& garbage);
/// False if the bytes fail their check.
bool read_garbage(std::string_view bytes, storage::Write& garbage);

/// The record of one chunk; empty if `chunk` is null.
std::string write_chunk(std::string_view key, const BlockTable::Chunk* chunk);
/// Puts the blocks of a chunk record into `state`: table, cold lines and timers.
bool read_chunk(std::string_view key, std::string_view bytes, std::uint64_t chunk, State& state);

}  // namespace millrace::engine
