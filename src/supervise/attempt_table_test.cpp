#include "supervise/attempt_table.hpp"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/manual_clock.hpp"
#include "supervise/attempt_recorder.hpp"
#include "supervise/memory_file.hpp"

namespace millrace::supervise {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class AttemptTableTest : public testing::Test {
 protected:
  explicit AttemptTableTest(std::size_t capacity = 4) : table_(AttemptTable::create(capacity).value()) {
    recorder_ = AttemptRecorder::attach(Descriptor{::dup(table_.file().get())}, clock_).value();
  }
  void lease(std::uint64_t fence, Milliseconds timeout = 0ms) {
    recorder_->leased(fence, LeaseToken("token-" + std::to_string(fence)), 30s, timeout);
  }
  AttemptEntry only() {
    const auto entries = table_.entries();
    EXPECT_THAT(entries, SizeIs(1));
    return entries.empty() ? AttemptEntry{} : entries.front();
  }

  ManualClock clock_;
  AttemptTable table_;
  std::unique_ptr<AttemptRecorder> recorder_;
};

TEST_F(AttemptTableTest, AnEntryFollowsItsLeaseFromGrantToRecord) {
  EXPECT_THAT(table_.entries(), IsEmpty());
  lease(7, 5s);
  EXPECT_EQ(only().stage, Stage::leased);
  EXPECT_EQ(only().token.str(), "token-7");
  EXPECT_EQ(only().timeout, 5s);
  clock_.advance(1s);
  recorder_->started(7);
  EXPECT_EQ(only().stage, Stage::started);
  EXPECT_EQ(only().started_at, clock_.steady_now());
  clock_.advance(1s);
  recorder_->stop_asked(7, StopKind::cancelled);
  EXPECT_EQ(only().stop, StopKind::cancelled);
  EXPECT_EQ(only().stop_asked_at, clock_.steady_now());
  recorder_->finished(7, true);
  EXPECT_EQ(only().stage, Stage::finished);
  recorder_->settled("token-7");
  EXPECT_THAT(table_.entries(), IsEmpty());
}

TEST_F(AttemptTableTest, AUsedCellStartsFresh) {
  lease(1, 5s);
  recorder_->started(1);
  recorder_->stop_asked(1, StopKind::timed_out);
  recorder_->finished(1, false);
  lease(2);
  EXPECT_EQ(only(), (AttemptEntry{.stage = Stage::leased, .token = "token-2"}));
}

TEST_F(AttemptTableTest, AHandlerThatTheWorkerGaveUpStaysUntilItReturns) {
  lease(1);
  recorder_->started(1);
  recorder_->settled("token-1");
  EXPECT_EQ(only().stage, Stage::started);
  recorder_->finished(1, true);
  EXPECT_THAT(table_.entries(), IsEmpty());
}

TEST_F(AttemptTableTest, WhenItIsFullEndedLeasesMakeRoomAndElseTheNewOneIsNotNoted) {
  for (std::uint64_t fence = 1; fence <= 4; ++fence) lease(fence);
  recorder_->started(1);
  recorder_->extended("token-2", 90s);
  lease(5);
  EXPECT_THAT(table_.entries(), SizeIs(4));
  recorder_->started(5);  // unknown: nothing happens
  clock_.advance(60s);
  lease(6);
  const auto entries = table_.entries();
  EXPECT_THAT(entries, SizeIs(3)) << "kept: the running one, the renewed one and the new one";
}

TEST_F(AttemptTableTest, TheWorkersNameAndItsHeartbeatAreSeen) {
  EXPECT_FALSE(table_.attached());
  EXPECT_EQ(table_.instance(), "");
  recorder_->set_instance("w-1");
  EXPECT_TRUE(table_.attached());
  EXPECT_EQ(table_.instance(), "w-1");
  clock_.advance(5s);
  recorder_->beat();
  EXPECT_EQ(table_.last_beat(), clock_.steady_now());
}

TEST_F(AttemptTableTest, WildBytesFromADyingChildAreClamped) {
  lease(1);
  recorder_->started(1);
  // The first cell follows the header; a stage that does not exist and a token beyond its place.
  const std::string garbage(sizeof(detail::Cell), '\xff');
  ASSERT_EQ(::pwrite(table_.file().get(), garbage.data(), garbage.size(), sizeof(detail::Header)),
            static_cast<ssize_t>(garbage.size()));
  EXPECT_THAT(table_.entries(), IsEmpty());
  const std::uint32_t huge = 0xffffffff;
  ASSERT_EQ(::pwrite(table_.file().get(), &huge, sizeof huge, offsetof(detail::Header, used)), 4);
  EXPECT_THAT(table_.entries(), IsEmpty());
}

TEST(AttemptRecorder, RefusesWhatIsNoFreshTable) {
  const ManualClock clock;
  EXPECT_FALSE(AttemptRecorder::attach(make_memory_file("x", 10).value(), clock));
  EXPECT_FALSE(AttemptRecorder::attach(make_memory_file("x", 4096).value(), clock));
  EXPECT_FALSE(AttemptRecorder::attach(Descriptor{}, clock));
}

TEST(MemoryFile, ASealedTextCanBeReadAndNeverChanged) {
  const auto file = make_sealed_text("x", "secret").value();
  EXPECT_EQ(read_text(file).value(), "secret");
  EXPECT_EQ(::pwrite(file.get(), "y", 1, 0), -1);
  EXPECT_NE(::ftruncate(file.get(), 0), 0);
}

}  // namespace
}  // namespace millrace::supervise
