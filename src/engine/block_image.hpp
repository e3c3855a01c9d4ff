#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/names.hpp"
#include "engine/task_slot.hpp"

namespace millrace::engine {

/// The stored form of a block.
///
///   version byte (1) · worker names (count, texts) · for each live slot: its index, its members as varints ·
///   CRC-32C over key and value (4 bytes)
///
/// Contents and results above `blob_bytes_min` stand apart, in the blobs family; the image says only that they are
/// there. Numbers of lines are the engine's own and are good only beside the checkpoint that the image belongs to.

inline constexpr std::size_t blob_bytes_min = 4096;

/// Key of the image that the checkpoint of group `version` wrote; sorts by block, then version.
std::string block_key(std::uint64_t block, std::uint64_t version);
/// Key of a large content (`result` false) or result.
std::string blob_key(Seq seq, bool result, std::uint32_t incarnation);

/// A block that was read, and the names that its `worker` numbers point into.
struct ReadBlock {
  std::unique_ptr<Block> block = {};
  std::vector<std::string> worker_names = {};
};

using BlobSink = std::function<void(std::string_view key, std::string_view value)>;
using BlobSource = std::function<std::optional<std::string>(std::string_view key)>;

/// Appends the image of `block`, and hands its large values to `blobs`.
void write_block(const Block& block, const NameTable& worker_names, std::string_view key, std::string& image,
                 const BlobSink& blobs);

/// The block of an image; nothing if the bytes fail their check, or a large value is missing.
std::optional<ReadBlock> read_block(std::uint64_t number, std::string_view key, std::string_view image,
                                    const BlobSource& blobs);

/// Turns the `worker` numbers of a block that was read into those of `worker_names`.
std::unique_ptr<Block> settle_names(ReadBlock read, NameTable& worker_names);

}  // namespace millrace::engine
