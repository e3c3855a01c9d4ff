#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "access/permission.hpp"
#include "codec/json_record.hpp"
#include "codec/json_write.hpp"
#include "net/http.hpp"

namespace millrace::server {

/// One request on its way through its route: who asks, what, and the right to answer once. Moved along from one
/// callback to the next.
class Call {
 public:
  Call(http::Request request, http::Responder respond) : request(std::move(request)), respond_(std::move(respond)) {}

  http::Request request;
  access::Identity who = {};
  bool has_token = false;                // `who` proved itself
  std::vector<std::string> params = {};  // decoded values of the path's `{…}`, in order

  bool may(access::Permission permission) const noexcept { return who.may(permission); }
  /// What of a record this caller may see.
  codec::Shown shown(bool payload, bool result) const noexcept;

  /// The task id, queue or operation that the path names.
  const std::string& param() const { return params.front(); }
  /// `?wait=10`: seconds, cut to 30; 0 when absent. Errors: invalid_argument.
  Result<Milliseconds> wait() const;

  void answer(http::Response response);
  void answer(int status, std::string json);
  void refuse(const Error& error);

 private:
  http::Responder respond_;
};

/// The problem answer of `error`, with `Retry-After` wherever the error table says later. `limit` is the one that was
/// passed, if one.
http::Response refusal_of(const Error& error, std::optional<std::int64_t> limit = {});

http::Response json_response(int status, std::string json);

}  // namespace millrace::server
