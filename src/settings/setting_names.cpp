#include <algorithm>
#include <cctype>
#include <vector>

#include "settings/setting_table.hpp"

namespace millrace::settings {
namespace {

/// Edits (insert, delete, change, swap of neighbours) that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] =
          std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string flag_of(std::string_view name) {
  auto flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string variable_of(std::string_view name) {
  std::string variable = "MILLRACE_";
  for (const char c : name) variable.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  return variable;
}

std::string name_of_variable(std::string_view variable) {
  std::string name;
  for (const char c : variable.substr(std::string_view("MILLRACE_").size())) {
    name.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return name;
}

std::optional<std::string> nearest_name(std::string_view name) {
  std::string best;
  std::size_t best_distance = name.size() / 3 + 1;  // further away it is another word
  const auto consider = [&](std::string_view candidate) {
    if (candidate.empty()) return;
    if (const auto distance = edit_distance(name, candidate); distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  };
  if (name.size() > 64) return std::nullopt;
  for (const auto& info : setting_table()) {
    consider(info.name);
    consider(info.file_variant);
  }
  return best.empty() ? std::nullopt : std::optional(best);
}

}  // namespace millrace::settings
