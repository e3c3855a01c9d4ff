#pragma once

#include <future>
#include <utility>

#include "broker/broker.hpp"

namespace millrace {

/// Waits for the answer of one broker call, for callers that own their thread:
/// `auto reply = blocking<EnqueueReply>([&](auto done) { broker.enqueue(std::move(request), std::move(done)); });`
/// Never call it on a broker's own thread.
template <class T, class Call>
Result<T> blocking(Call&& call) {
  std::promise<Result<T>> promise;
  auto answer = promise.get_future();
  call(Completion<T>(
      [promise = std::move(promise)](Result<T> result) mutable { promise.set_value(std::move(result)); }));
  return answer.get();
}

}  // namespace millrace
