#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/jobs.hpp"
#include "engine/state.hpp"

namespace millrace::engine {

/// Moves the state as of one commit group into the store, a few blocks at a time, while the engine goes on.
///
/// `begin` at a group boundary marks every dirty block and keeps the globals as they are. `step` takes images of marked
/// blocks; a block that is about to change before its turn gets its image first (`take_image`, copy on write). Images
/// carry the group as version, so those of an unfinished checkpoint never mix with the finished one. When all are
/// written the last job flushes, commits the globals and cuts the journal: from then on a restart begins at this group.
class Checkpoint {
 public:
  explicit Checkpoint(State& state) : state_(state) {}

  bool running() const { return running_; }
  std::uint64_t group() const { return group_; }
  /// `step` has something to do that waits for nobody.
  bool can_go_on() const { return running_ && !finishing_ && !waits_for_commit_; }

  /// The state's newest group must be complete. Nothing must be running. Windows of names that end by `wall` are over.
  void begin(std::int64_t wall);
  /// Takes the image of a marked block now.
  void take_image(Block& block);
  /// Takes up to `blocks_max` images and hands out write jobs of about a mebibyte, once `committed`, the newest group
  /// known to be on disk, has reached this checkpoint's: an image of a group that a crash took back would be found by
  /// nobody, since no replay touches its block.
  void step(std::size_t blocks_max, std::uint64_t committed, std::vector<Job>& jobs);
  /// The last job is done.
  void finished();

 private:
  void flush_write(std::vector<Job>& jobs);
  void write_chunks_and_aliases();

  State& state_;
  bool running_ = false;
  bool finishing_ = false;
  bool waits_for_commit_ = false;
  bool first_write_ = false;
  std::uint64_t group_ = 0;
  std::int64_t wall_ = 0;
  std::string globals_ = {};
  std::vector<std::uint64_t> due_ = {};
  std::size_t next_ = 0;
  std::set<std::uint64_t> chunks_ = {};         // whose record changes
  std::vector<std::string> empty_chunks_ = {};  // records of the checkpoint before that say "nothing here"
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> chunk_versions_ = {};
  storage::Write write_ = {};
  storage::Write garbage_ = {};

  friend class Recovery;
};

}  // namespace millrace::engine
