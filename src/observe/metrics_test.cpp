#include "observe/metrics.hpp"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::metrics {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(MetricTable, NamesAreUniqueAndPlain) {
  std::set<std::string_view> names;
  for (const auto& info : metric_table()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.help.empty()) << info.name;
    for (const char c : info.name) EXPECT_TRUE(std::islower(static_cast<unsigned char>(c)) || c == '_') << info.name;
    EXPECT_EQ(info.kind == Kind::counter, info.name.ends_with("_total")) << info.name;
  }
}

TEST(MetricTable, TheDocsAreUpToDate) {
  const auto path = std::filesystem::path(MILLRACE_SOURCE_DIR) / "docs/metrics.md";
  std::ifstream file(path);
  const std::string docs(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(docs, metrics_markdown()) << "docs/metrics.md: write metrics_markdown() into it";
}

TEST(Metrics, ShowsCountersWithLabels) {
  Registry registry;
  registry.counter(Metric::http_requests, "/api/v1/tasks", "2xx").add(3);
  registry.counter(Metric::http_requests, "/api/v1/tasks", "2xx").add();
  const auto text = registry.render();
  EXPECT_THAT(text, HasSubstr("# TYPE millrace_http_requests_total counter\n"));
  EXPECT_THAT(text, HasSubstr("millrace_http_requests_total{route=\"/api/v1/tasks\",code=\"2xx\"} 4\n"));
}

TEST(Metrics, LeavesOutWhatNobodyMeasured) {
  Registry registry;
  registry.gauge(Metric::connections).set(7);
  const auto text = registry.render();
  EXPECT_THAT(text, HasSubstr("millrace_connections 7\n"));
  EXPECT_THAT(text, Not(HasSubstr("millrace_tasks")));
}

TEST(Metrics, CountsOfAllThreadsAddUp) {
  Registry registry;
  auto& counter = registry.counter(Metric::lease_lost);
  auto& histogram = registry.histogram(Metric::wait_time);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) {
        counter.add();
        histogram.observe(1ms);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 6000U);
  EXPECT_THAT(registry.render(), HasSubstr("millrace_task_wait_seconds_count 6000\n"));
}

TEST(Metrics, HistogramsAreCumulativeAndInSeconds) {
  Registry registry;
  auto& histogram = registry.histogram(Metric::run_time);
  histogram.observe(50us);  // on the bound: inside
  histogram.observe(51us);
  histogram.observe(2h);  // beyond the last bound
  const auto text = registry.render();
  EXPECT_THAT(text, HasSubstr("millrace_task_run_seconds_bucket{le=\"5e-05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("millrace_task_run_seconds_bucket{le=\"0.0001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("millrace_task_run_seconds_bucket{le=\"3600\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("millrace_task_run_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("millrace_task_run_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("millrace_task_run_seconds_sum 7200.000101"));
}

TEST(Metrics, ABatchIsAddedOnce) {
  Histogram histogram(Scale::amount);
  HistogramBatch batch(Scale::amount);
  batch.observe(4, 10);
  histogram.add(batch);
  histogram.add(batch);
  EXPECT_EQ(histogram.counts().buckets[bucket_of(Scale::amount, 4)], 10U);
  EXPECT_EQ(histogram.counts().sum, 40U);
}

TEST(Metrics, TimesThatWentBackCountAsZero) {
  Histogram histogram(Scale::time);
  histogram.observe(-5ms);
  EXPECT_EQ(histogram.counts().sum, 0U);
  EXPECT_EQ(histogram.counts().buckets[0], 1U);
}

TEST(Metrics, SourcesAreAskedUntilTheirRegistrationEnds) {
  Registry registry;
  {
    const auto registration = registry.add_source([](Collector& collector) {
      collector.add(Metric::tasks, 5, "mail", "queued");
      collector.add(Metric::tasks, 2, "mail", "queued");
    });
    EXPECT_THAT(registry.render(), HasSubstr("millrace_tasks{queue=\"mail\",status=\"queued\"} 7\n"));
  }
  EXPECT_THAT(registry.render(), Not(HasSubstr("millrace_tasks")));
}

TEST(Metrics, ARegistrationMayOutliveTheRegistry) {
  Registry::Registration registration;
  {
    Registry registry;
    registration = registry.add_source([](Collector&) {});
  }
}

TEST(Metrics, QueuesBeyondTheLimitAreShownTogether) {
  Registry registry;
  const auto registration = registry.add_source([](Collector& collector) {
    for (std::size_t i = 0; i < label_values_max + 50; ++i) {
      const auto queue = "q" + std::to_string(i);
      collector.add(Metric::tasks, 1, queue, "queued");
      collector.add(Metric::oldest_age, static_cast<double>(i), queue);
    }
  });
  const auto text = registry.render();
  EXPECT_THAT(text, HasSubstr("millrace_tasks{queue=\"q199\",status=\"queued\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("q200")));
  EXPECT_THAT(text, HasSubstr("millrace_tasks{queue=\"other\",status=\"queued\"} 50\n"));
  EXPECT_THAT(text, HasSubstr("millrace_oldest_task_age_seconds{queue=\"other\"} 249\n"));
  EXPECT_EQ(text, registry.render());
}

TEST(Metrics, LabelValuesCannotForgeLines) {
  Registry registry;
  registry.counter(Metric::refused, "a\"} 1\nforged 2").add();
  EXPECT_THAT(registry.render(), Not(HasSubstr("\nforged")));
}

TEST(Metrics, EveryProcessTellsAboutItself) {
  Registry registry;
  const auto registration = add_process_metrics(registry, "0.1.0");
  const auto text = registry.render();
  EXPECT_THAT(text, HasSubstr("millrace_build_info{version=\"0.1.0\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("millrace_log_lines_dropped_total "));
  EXPECT_THAT(text, Not(HasSubstr("process_resident_memory_bytes 0\n")));
  EXPECT_THAT(text, HasSubstr("process_open_fds "));
}

}  // namespace
}  // namespace millrace::metrics
