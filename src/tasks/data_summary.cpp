#include "tasks/data_summary.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tasks/statistics.hpp"

namespace millrace::tasks {
namespace {

constexpr std::size_t fields_max = 200;
constexpr std::size_t distinct_max = 10'000;
constexpr std::size_t stop_interval = 4096;  // items between two looks at the stop token

std::string kind_name(const Json& value) {
  switch (value.kind()) {
    case Json::Kind::null:
      return "null";
    case Json::Kind::boolean:
      return "boolean";
    case Json::Kind::string:
      return "string";
    case Json::Kind::array:
      return "array";
    case Json::Kind::object:
      return "object";
    default:
      return "number";
  }
}

/// Numbers on their way to a summary.
class Numbers {
 public:
  void add(double value) {
    moments_.add(value);
    values_.push_back(value);
  }
  bool empty() const { return values_.empty(); }

  Json summary() {
    std::ranges::sort(values_);
    return Json::object({{"count", moments_.count()},
                         {"sum", moments_.sum()},
                         {"min", moments_.min()},
                         {"max", moments_.max()},
                         {"mean", moments_.mean()},
                         {"stddev", moments_.standard_deviation()},
                         {"p50", quantile(values_, 0.50)},
                         {"p90", quantile(values_, 0.90)},
                         {"p95", quantile(values_, 0.95)},
                         {"p99", quantile(values_, 0.99)}});
  }

 private:
  RunningMoments moments_;
  std::vector<double> values_;
};

Json text_summary(std::string_view text) {
  const auto counts = count_text(text);
  return Json::object({{"kind", "text"},
                       {"lines", counts.lines},
                       {"words", counts.words},
                       {"characters", counts.characters},
                       {"bytes", counts.bytes}});
}

Json numbers_summary(Numbers& numbers) {
  auto summary = Json::object({{"kind", "numbers"}});
  const auto facts = numbers.summary();
  for (const auto& [name, value] : facts.as_object()) summary[name] = value;
  return summary;
}

/// One field of many rows.
class Field {
 public:
  void add(const Json& value) {
    ++kinds_[kind_name(value)];
    if (value.is_number()) numbers_.add(value.as_double());
    if (const auto* text = value.if_string()) {
      lengths_.add(static_cast<double>(count_text(*text).characters));
      if (distinct_.size() < distinct_max) distinct_.insert(*text);
    }
  }

  Json summary(std::uint64_t rows) {
    std::uint64_t present = 0;
    auto kinds = Json::object();
    for (const auto& [kind, count] : kinds_) {
      present += count;
      kinds[kind] = count;
    }
    auto out = Json::object({{"present", present}, {"missing", rows - present}, {"kinds", kinds}});
    if (!numbers_.empty()) out["numbers"] = numbers_.summary();
    if (!lengths_.empty()) {
      const auto facts = lengths_.summary();
      out["texts"] = Json::object({{"count", facts["count"]},
                                   {"distinct", distinct_.size()},
                                   {"length_min", facts["min"]},
                                   {"length_max", facts["max"]},
                                   {"length_mean", facts["mean"]}});
    }
    return out;
  }

 private:
  std::map<std::string, std::uint64_t> kinds_;
  Numbers numbers_, lengths_;
  std::unordered_set<std::string> distinct_;  // up to distinct_max
};

Json rows_summary(const Json::Array& rows, const std::stop_token& stop) {
  std::vector<std::pair<std::string, Field>> fields;  // in the order of their first appearance
  std::unordered_map<std::string, std::size_t> places;
  std::unordered_set<std::string> omitted;
  std::size_t seen = 0;
  for (const auto& row : rows) {
    if (++seen % stop_interval == 0 && stop.stop_requested()) break;
    for (const auto& [name, value] : row.as_object()) {
      const auto [place, added] = places.try_emplace(name, fields.size());
      if (added && fields.size() == fields_max) {
        places.erase(place);
        omitted.insert(name);
        continue;
      }
      if (added) fields.emplace_back(name, Field{});
      fields[place->second].second.add(value);
    }
  }
  auto described = Json::object();
  for (auto& [name, field] : fields) described[name] = field.summary(rows.size());
  auto out = Json::object({{"kind", "rows"}, {"count", rows.size()}, {"fields", std::move(described)}});
  if (!omitted.empty()) out["fields_omitted"] = omitted.size();
  return out;
}

Json list_summary(const Json::Array& list, const std::stop_token& stop) {
  std::map<std::string, std::uint64_t> kinds;
  Numbers numbers;
  std::size_t seen = 0;
  for (const auto& item : list) {
    if (++seen % stop_interval == 0 && stop.stop_requested()) break;
    ++kinds[kind_name(item)];
    if (item.is_number()) numbers.add(item.as_double());
  }
  if (kinds.size() == 1 && kinds.contains("object")) return rows_summary(list, stop);
  if (kinds.empty() || (kinds.size() == 1 && kinds.contains("number"))) return numbers_summary(numbers);
  auto counts = Json::object();
  for (const auto& [kind, count] : kinds) counts[kind] = count;
  auto out = Json::object({{"kind", "values"}, {"count", list.size()}, {"kinds", std::move(counts)}});
  if (!numbers.empty()) out["numbers"] = numbers.summary();
  return out;
}

}  // namespace

Json summarise(const Json& data, std::stop_token stop) {
  if (const auto* text = data.if_string()) return text_summary(*text);
  if (const auto* list = data.if_array()) return list_summary(*list, stop);
  return list_summary(Json::Array{data}, stop);
}

}  // namespace millrace::tasks
