#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "storage/journal_segment.hpp"
#include "storage/store.hpp"

namespace millrace::storage {

/// How much of a log may be given up to read it.
enum class AcceptLoss : std::uint8_t {
  torn_tail,  ///< a last record that was never completely written, so never acknowledged
  all,        ///< everything from the first unreadable byte on: the operator said so
};

struct JournalOptions {
  std::uint64_t segment_bytes = std::uint64_t{32} << 20;     ///< 64 KiB to 1 GiB; a larger batch gets a larger segment
  std::uint64_t spare_bytes_max = std::uint64_t{256} << 20;  ///< of cut segments that are kept to be used again
};

/// The log: an ordered sequence of batches in segments, and at the same time the journal family, whose records stand
/// nowhere else. One call writes one batch with one write and, if asked, one sync (docs/adr/0003).
///
/// Keys of the journal family only grow. A cut, `erase_range(journal, "", end)`, is a batch like any other; what is
/// below it is not seen again, and segments that hold nothing else are used again.
///
/// Opening follows the records to the first place that is none. If a record can be read after it, in this segment or
/// a later one, bytes were damaged that had been written before (RELIABILITY F81): refused with `corrupt`, nothing
/// changed, unless the loss was accepted, or the machine went down while commits were not synced. Else it is the last
/// write, cut short.
///
/// Errors   of `append`: `disk_low`: nothing was written; `durability_unknown`: the log has failed and must be opened
///          again; `unavailable`: it had failed before, or no segment could be made: nothing was written.
/// Threads  all calls from any thread; appends wait for each other, scans for none but the moment of a reuse.
class JournalLog {
 public:
  using Changes = std::function<void(const Write::Change&)>;

  /// Opens or creates the log in `directory`, and gives every change to other families that it still holds to
  /// `replay`, in the order of their commits.
  static Result<std::unique_ptr<JournalLog>> open(const std::filesystem::path& directory, const JournalOptions& options,
                                                  AcceptLoss accepted, const Changes& replay);
  ~JournalLog();

  /// Appends the batch; when it returns, `sync` holds for it and all before it.
  Result<void> append(const Write& write, Sync sync);

  /// Calls `before_reuse` and then makes segments below the last cut ready to be used again, if there are any.
  Result<void> reuse(const std::function<Result<void>()>& before_reuse);

  Result<void> scan(std::string_view begin, std::string_view end, const Visitor& visit) const;
  Result<void> scan_back(std::string_view begin, std::string_view end, const Visitor& visit) const;

  const Recovery& recovery() const { return recovery_; }
  std::uint64_t disk_bytes() const;

 private:
  struct Section {
    std::shared_ptr<const JournalSegment> segment;
    std::uint64_t offset;
    std::uint64_t end;
  };

  JournalLog(std::filesystem::path directory, JournalOptions options);
  Result<void> recover(AcceptLoss accepted, const Changes& replay);
  Result<std::vector<std::shared_ptr<JournalSegment>>> list_segments();
  Result<bool> replay_segment(JournalSegment& segment, const Changes& replay);
  Result<void> write_again();
  Result<void> end_log_at(std::vector<std::shared_ptr<JournalSegment>> behind, AcceptLoss accepted);
  Result<void> give_up(JournalSegment& segment, std::uint64_t keep_until);
  void note_change(JournalSegment& segment, const Write::Change& change, std::uint64_t offset);

  Result<void> append_next(const Write& write, Sync sync);
  Result<void> next_segment(std::uint64_t bytes);
  Result<void> take_spare(std::shared_ptr<JournalSegment> spare);
  Result<void> sync_all();
  Result<void> sync_current(Sync sync);
  Result<void> sync_files(const std::vector<std::shared_ptr<JournalSegment>>& segments);
  void start_write_back(std::uint64_t end);
  std::vector<Section> sections(std::string_view begin, std::string_view end, std::string& first) const;
  Result<bool> scan_section(const Section& section, std::string_view begin, std::string_view end,
                            const Visitor& visit) const;
  std::uint64_t last_cut_segment() const;
  std::shared_ptr<JournalSegment> take_segment_up_to(std::uint64_t number);
  Result<void> make_spare(const JournalSegment& cut);

  const std::filesystem::path directory_;
  const JournalOptions options_;
  Recovery recovery_;

  std::mutex append_mutex_;                  // held for a whole append of records, with its sync
  std::shared_ptr<JournalSegment> current_;  // the last of segments_, or none yet
  std::string encoded_;
  std::uint64_t sequence_ = 0;  // of the last record
  bool unsynced_noted_ = false;
  bool synced_ = true;
  std::vector<std::shared_ptr<JournalSegment>> unsynced_ = {};  // before the current one, oldest first
  std::uint64_t write_back_from_ = 0;                           // in the current segment
  bool failed_ = false;                                         // what the last append did is not known

  std::mutex sync_mutex_;  // held for a sync, inside append_mutex_ if both
  bool sync_failed_ = false;

  // Taken for moments only, inside append_mutex_ if both.
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<JournalSegment>> segments_;  // oldest first
  std::deque<std::shared_ptr<JournalSegment>> spares_;    // in the order of their numbers, all above the last
  std::uint64_t next_number_ = 1;
  std::string cut_;       // journal keys below are gone
  std::string last_key_;  // of the journal family

  mutable std::shared_mutex readers_;  // a scan holds it, so that no segment it reads is used again
};

}  // namespace millrace::storage
