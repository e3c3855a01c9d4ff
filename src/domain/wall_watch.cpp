#include "domain/wall_watch.hpp"

namespace millrace {

bool WallWatch::see(std::int64_t boot, std::int64_t wall) {
  const auto offset = wall - boot;
  const auto moved = begun_ ? Milliseconds{offset - newest_} : Milliseconds{0};
  begun_ = true;
  newest_ = offset;
  if (moved > jump_min || moved < -jump_min) {
    held_ = true;
    since_ = boot;
    last_jump_ = moved;
    ++jumps_;
    return true;
  }
  if (boot - since_ >= steady_for.count()) held_ = false;
  if (!held_) believed_ = offset;
  return false;
}

}  // namespace millrace
