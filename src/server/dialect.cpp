#include "server/dialect.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace millrace::server {
namespace {

constexpr std::array<std::pair<std::string_view, Dialect>, 3> names{
    {{"jobs", Dialect::jobs}, {"celery", Dialect::celery}, {"tasks", Dialect::tasks}}};

}  // namespace

Result<DialectSet> DialectSet::parse(std::string_view text) {
  if (text == "all") return all();
  if (text == "none") return nothing();
  auto set = nothing();
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const auto word = text.substr(0, end);
    const auto row = std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.first == word; });
    if (row == names.end()) {
      return Error{ErrorCode::invalid_argument, "dialects must be all, none, or some of jobs,celery,tasks", "dialects"};
    }
    set.bits_ |= 1U << static_cast<unsigned>(row->second);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return set;
}

}  // namespace millrace::server
