#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

namespace millrace::engine {

/// Texts with small numbers, given in the order they come.
class NameTable {
 public:
  std::optional<std::uint32_t> find(std::string_view text) const {
    const auto found = index_.find(text);
    return found == index_.end() ? std::nullopt : std::optional(found->second);
  }
  std::uint32_t add(std::string_view text) {
    const auto number = static_cast<std::uint32_t>(texts_.size());
    texts_.emplace_back(text);
    index_.emplace(texts_.back(), number);
    return number;
  }
  std::uint32_t find_or_add(std::string_view text) {
    const auto found = find(text);
    return found ? *found : add(text);
  }
  const std::string& text(std::uint32_t number) const { return texts_[number]; }
  std::size_t size() const { return texts_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(std::string_view text) const { return boost::hash<std::string_view>{}(text); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return a == b; }
  };
  std::vector<std::string> texts_;
  boost::unordered_flat_map<std::string, std::uint32_t, Hash, Equal> index_;
};

}  // namespace millrace::engine
