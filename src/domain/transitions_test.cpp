#include "domain/transitions.hpp"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace {
namespace {

using From = std::optional<Status>;

std::vector<From> every_from() {
  std::vector<From> all{std::nullopt};
  for (std::size_t i = 1; i <= status_count; ++i) all.push_back(static_cast<Status>(i));
  return all;
}

std::vector<TaskEvent> every_event() {
  std::vector<TaskEvent> all;
  for (std::size_t i = 1; i <= task_event_count; ++i) all.push_back(static_cast<TaskEvent>(i));
  return all;
}

std::string text(From from) { return from ? std::string(to_string(*from)) : "-"; }

/// The whole table once more, written as people read it: a row for each event, a column for each status.
/// S scheduled, Q queued, P processing, R retrying, C completed, F failed, X cancelled, E expired, . impossible.
struct Row {
  TaskEvent event;
  std::string_view leads_to;
};
constexpr std::string_view columns = "-SQPRCFXE";
constexpr Row expected[] = {
    //                           -SQPRCFXE
    {TaskEvent::accepted_ready, "Q........"}, {TaskEvent::accepted_later, "S........"},
    {TaskEvent::rerun_ready, "......QQQ"},    {TaskEvent::rerun_later, "......SSS"},
    {TaskEvent::became_due, ".Q..Q...."},     {TaskEvent::run_now, ".Q..Q...."},
    {TaskEvent::granted, "..P......"},        {TaskEvent::completed, "...C....."},
    {TaskEvent::failed_retry, "...R....."},   {TaskEvent::failed_final, "...F....."},
    {TaskEvent::crashed_retry, "...R....."},  {TaskEvent::lease_returned, "...Q....."},
    {TaskEvent::released, "...Q....."},       {TaskEvent::deferred, "...S....."},
    {TaskEvent::unserved, "..F......"},       {TaskEvent::cancelled, ".XXXX...."},
    {TaskEvent::expired, ".EE.E...."},        {TaskEvent::requeued, ".....QQQQ"},
};

From expected_after(From from, TaskEvent event) {
  const auto letter =
      expected[static_cast<std::size_t>(event) - 1].leads_to[from ? static_cast<std::size_t>(*from) : 0];
  return letter == '.' ? std::nullopt : From(static_cast<Status>(columns.find(letter)));
}

TEST(Transitions, EveryPairOfStatusAndEventLeadsWhereTheTableSays) {
  ASSERT_EQ(std::size(expected), task_event_count);
  for (const auto event : every_event()) {
    ASSERT_EQ(expected[static_cast<std::size_t>(event) - 1].event, event);
    for (const auto from : every_from()) {
      EXPECT_EQ(next_status(from, event), expected_after(from, event)) << text(from) << ", " << to_string(event);
    }
  }
}

TEST(Transitions, ValuesOutsideTheEnumsLeadNowhere) {
  EXPECT_EQ(next_status(static_cast<Status>(0), TaskEvent::accepted_ready), std::nullopt);
  EXPECT_EQ(next_status(static_cast<Status>(9), TaskEvent::granted), std::nullopt);
  EXPECT_EQ(next_status(Status::queued, static_cast<TaskEvent>(0)), std::nullopt);
  EXPECT_EQ(next_status(Status::queued, static_cast<TaskEvent>(255)), std::nullopt);
}

TEST(Transitions, AFinishedTaskMovesOnlyWhenSomebodyAsksForANewIncarnation) {
  const std::set asked{TaskEvent::requeued, TaskEvent::rerun_ready, TaskEvent::rerun_later};
  for (const auto& arrow : task_arrows())
    if (arrow.from && is_final(*arrow.from)) {
      EXPECT_TRUE(asked.contains(arrow.event)) << to_string(arrow.event);
    }
}

TEST(Transitions, OnlyAGrantMakesATaskProcessing) {
  for (const auto& arrow : task_arrows()) {
    EXPECT_EQ(arrow.to == Status::processing, arrow.event == TaskEvent::granted) << to_string(arrow.event);
  }
}

TEST(Transitions, EveryStatusIsReachedAndEveryUnfinishedOneIsLeft) {
  std::set<Status> reached, left;
  for (const auto& arrow : task_arrows()) {
    reached.insert(arrow.to);
    if (arrow.from) left.insert(*arrow.from);
  }
  EXPECT_EQ(reached.size(), status_count);
  EXPECT_EQ(left.size(), status_count);
}

TEST(Transitions, WhatWaitsCanBeCancelledExpireAndBeErased) {
  for (const auto from : every_from()) {
    if (!from || !is_pending(*from)) continue;
    EXPECT_EQ(next_status(from, TaskEvent::cancelled), Status::cancelled);
    EXPECT_EQ(next_status(from, TaskEvent::expired), Status::expired);
    EXPECT_TRUE(may_erase(*from));
  }
  EXPECT_FALSE(may_erase(Status::processing));
}

TEST(Transitions, EventNamesReadBackAsTheSameEvent) {
  std::set<std::string_view> names;
  for (const auto event : every_event()) {
    EXPECT_EQ(parse_task_event(to_string(event)), event);
    names.insert(to_string(event));
  }
  EXPECT_EQ(names.size(), task_event_count);
  EXPECT_EQ(parse_task_event("exploded"), std::nullopt);
  EXPECT_EQ(to_string(static_cast<TaskEvent>(0)), "unknown");
}

/// `scheduled --> queued: became_due, run_now`; `[*]` stands for a task that does not exist.
std::vector<std::string> arrows_of_the_drawing(const std::string& path) {
  std::ifstream file(path);
  const std::regex arrow(R"(^\s*(\[\*\]|[a-z]+) --> ([a-z]+): ([a-z_, ]+)$)");
  const std::regex word("[a-z_]+");
  std::vector<std::string> found;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, arrow)) continue;
    const auto from = match[1] == "[*]" ? "-" : match[1].str();
    const auto events = match[3].str();
    for (std::sregex_iterator event(events.begin(), events.end(), word), end; event != end; ++event)
      found.push_back(from + " " + event->str() + " " + match[2].str());
  }
  return found;
}

TEST(Transitions, TheDrawingInTheDocsShowsExactlyTheArrowsOfTheTable) {
  std::vector<std::string> ours;
  for (const auto& arrow : task_arrows())
    ours.push_back(text(arrow.from) + " " + std::string(to_string(arrow.event)) + " " +
                   std::string(to_string(arrow.to)));
  EXPECT_THAT(arrows_of_the_drawing(MILLRACE_SOURCE_DIR "/docs/task_states.md"),
              testing::UnorderedElementsAreArray(ours));
}

TEST(Transitions, TheDocsExplainEveryEvent) {
  std::ifstream file(MILLRACE_SOURCE_DIR "/docs/task_states.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  for (const auto event : every_event())
    EXPECT_THAT(page, testing::HasSubstr("| `" + std::string(to_string(event)) + "` |"));
}

}  // namespace
}  // namespace millrace
