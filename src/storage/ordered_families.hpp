#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/write.hpp"

namespace millrace::storage {

/// Five ordered maps, what the stores without a disk are made of. A plain value: no locks.
class OrderedFamilies {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  /// What a change replaced; `value` empty: there was nothing.
  struct Replaced {
    Family family;
    std::string key;
    std::optional<std::string> value;
  };

  void apply(const Write::Change& change);

  /// The same, and appends what undoes it, in order, to `undo`.
  void apply(const Write::Change& change, std::vector<Replaced>& undo);

  /// Takes the changes in `undo` back, last one first.
  void roll_back(std::vector<Replaced>& undo);

  const Map& of(Family family) const { return maps_[static_cast<std::size_t>(family)]; }

  /// The iterators of [begin, end); an empty `end` is the end of the family.
  std::pair<Map::const_iterator, Map::const_iterator> range(Family family, std::string_view begin,
                                                            std::string_view end) const;

  /// Bytes of keys and values.
  std::size_t bytes() const { return bytes_; }

 private:
  Map& of(Family family) { return maps_[static_cast<std::size_t>(family)]; }
  std::optional<std::string> put(Family family, std::string_view key, std::string_view value);
  Map::iterator remove(Map& map, Map::iterator at);

  std::array<Map, family_count> maps_;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::storage
