#include "access/authenticator.hpp"

#include <string>

namespace millrace::access {

Result<Identity> Authenticator::operator()(std::optional<std::string_view> token, const Caller& caller) {
  if (!token) return Error{ErrorCode::unauthorized, "this server needs a token: Authorization: Bearer mrt_…", {}};
  const auto now = clock_.steady_now();
  const auto wait = limiter_.wait(caller.address, now);
  if (wait.count() == 0 || caller.is_local) {
    const auto table = tokens_.table();
    if (const auto* identity = table->find(*token)) return *identity;
  }
  if (wait.count() > 0) {
    ++refused_;
    const auto seconds = std::to_string((wait.count() + 999) / 1000);
    return Error{ErrorCode::overloaded, "too many wrong tokens from this address; wait " + seconds + " s", {}};
  }
  ++unknown_;
  limiter_.failed(caller.address, now);
  return Error{ErrorCode::unauthorized, "this token is not known here", {}};
}

}  // namespace millrace::access
