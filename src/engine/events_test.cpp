#include "engine/events.hpp"

#include <variant>

#include <gtest/gtest.h>

#include "engine/journal.hpp"

namespace millrace::engine {
namespace {

template <class Event>
void append(EventWriter& out, const Event& event) {
  out.bytes.byte(Event::kind);
  event.write(out);
}

TEST(Events, OfOneGroupAreReadBackInOrder) {
  std::string bytes;
  EventWriter out(bytes);
  Accepted accepted;
  accepted.seq = 1000;
  accepted.priority = -7;
  accepted.max_retries = 900;
  accepted.later = accepted.due_on_wall = true;
  accepted.due = -5;
  accepted.expires_at = 99;
  accepted.named = true;
  accepted.fingerprint = {1, 2};
  accepted.content = "content";
  append(out, accepted);
  append(out, Granted{4, "r-1", 70, {1000, 3}});
  Settled settled;
  settled.seq = 3;
  settled.outcome = Outcome::crashed;
  settled.status = Status::retrying;
  settled.crashes = 1;
  settled.due = 12;
  settled.error = {"signal", "SIGSEGV", ""};
  append(out, settled);
  append(out, WorkerReplaced{300, {"instance", "name", true, 5'000}});

  std::vector<std::uint8_t> kinds;
  const bool whole = read_events(bytes, [&](auto event) {
    using Event = decltype(event);
    kinds.push_back(Event::kind);
    if constexpr (std::is_same_v<Event, Accepted>) {
      EXPECT_EQ(event.seq, 1000u);
      EXPECT_EQ(event.priority, -7);
      EXPECT_EQ(event.max_retries, 900);
      EXPECT_EQ(event.due, -5);
      EXPECT_EQ(event.expires_at, 99);
      EXPECT_EQ(event.fingerprint, (Fingerprint{1, 2}));
      EXPECT_EQ(event.content, "content");
    } else if constexpr (std::is_same_v<Event, Granted>) {
      EXPECT_EQ(event.seqs, (std::vector<Seq>{1000, 3}));
    } else if constexpr (std::is_same_v<Event, Settled>) {
      EXPECT_EQ(event.seq, 3u);
      EXPECT_EQ(event.error.message, "SIGSEGV");
    } else if constexpr (std::is_same_v<Event, WorkerReplaced>) {
      EXPECT_EQ(event.worker, 300u);
      EXPECT_EQ(event.by.instance, "instance");
      EXPECT_EQ(event.by.name, "name");
      EXPECT_TRUE(event.by.inside_server);
      EXPECT_EQ(event.by.lease_ms, 5'000);
    }
  });
  EXPECT_TRUE(whole);
  EXPECT_EQ(kinds, (std::vector<std::uint8_t>{Accepted::kind, Granted::kind, Settled::kind, WorkerReplaced::kind}));
}

TEST(Events, OfACutTextOrAnUnknownKindAreRefused) {
  std::string bytes;
  EventWriter out(bytes);
  append(out, Granted{4, "r-1", 70, {1000, 3}});
  const auto ignore_all = [](auto&&) {};
  EXPECT_FALSE(read_events(std::string_view(bytes).substr(0, bytes.size() - 1), ignore_all));
  EXPECT_FALSE(read_events("\x63", ignore_all));
}

TEST(JournalRecords, AreRefusedWithAnyByteChanged) {
  const auto key = journal_key(7);
  const auto record = write_journal_record(key, {7, {1, 2}, 3, 1, "events"});
  ASSERT_TRUE(read_journal_record(key, record));
  EXPECT_EQ(read_journal_record(key, record)->events, "events");
  EXPECT_FALSE(read_journal_record(journal_key(8), record));
  for (std::size_t i = 0; i < record.size(); ++i) {
    auto broken = record;
    broken[i] = static_cast<char>(broken[i] ^ 4);
    EXPECT_FALSE(read_journal_record(key, broken)) << "byte " << i;
  }
}

}  // namespace
}  // namespace millrace::engine
