#pragma once

#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <millrace/codec.hpp>
#include <millrace/context.hpp>
#include <millrace/errors.hpp>
#include <millrace/payload.hpp>

/// From the user's function to the one shape that the worker calls.
namespace millrace::detail {

/// How one call of a handler ended, before the worker adds what it knows itself (stop requests, timeouts).
struct HandlerReply {
  Outcome outcome = Outcome::completed;  // completed, failed, deferred
  std::string result = {};               // JSON text; empty = null
  TaskError error = {};
  bool permanent = false;
  bool undecodable = false;
  Milliseconds delay{0};
};

HandlerReply failed_reply(const Error& error);
HandlerReply undecodable_reply(const Error& error);
/// For the handler's word "false".
HandlerReply refused_reply();
/// What the exception means: `Permanent`, `Defer`, `Failure`, any `std::exception` by its type's name, or anything.
HandlerReply thrown_reply(const std::exception_ptr& thrown) noexcept;

/// Runs the handler and returns when it is done; may throw whatever the user's function throws.
using BlockingHandler = std::function<HandlerReply(std::string_view payload, Context& context)>;
/// Starts the handler and returns; `done` is called once, from any thread.
using StartingHandler =
    std::function<void(std::string payload, Context context, std::function<void(HandlerReply)> done)>;

/// A handler with its task types: exactly one of the two functions is set.
struct AnyHandler {
  std::vector<TaskType> types = {};
  HandlerOptions options = {};
  BlockingHandler run = {};
  StartingHandler start = {};
};

/// Payload and return type of a callable `R(const P&, Context&)`, `R(P, Context)` or `R(const P&)`.
template <class Signature>
struct SignatureOf;
template <class R, class P, class... Rest>
struct SignatureOf<R(P, Rest...)> {
  using Return = R;
  using Payload = std::remove_cvref_t<P>;
  static constexpr bool takes_context = sizeof...(Rest) == 1;
  static_assert(sizeof...(Rest) <= 1, "a handler takes the payload and, if it likes, a millrace::Context&");
};
template <class F>
struct MethodOf : MethodOf<decltype(&F::operator())> {};
template <class R, class C, class... Args>
struct MethodOf<R (C::*)(Args...) const> : SignatureOf<R(Args...)> {};
template <class R, class C, class... Args>
struct MethodOf<R (C::*)(Args...)> : SignatureOf<R(Args...)> {};
template <class R, class C, class... Args>
struct MethodOf<R (C::*)(Args...) const noexcept> : SignatureOf<R(Args...)> {};
template <class R, class C, class... Args>
struct MethodOf<R (C::*)(Args...) noexcept> : SignatureOf<R(Args...)> {};
template <class R, class... Args>
struct MethodOf<R (*)(Args...)> : SignatureOf<R(Args...)> {};
template <class R, class... Args>
struct MethodOf<R (*)(Args...) noexcept> : SignatureOf<R(Args...)> {};

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<Result<T>> = true;

/// `true` is success without a result, `false` a failure, anything else the result.
template <class T>
HandlerReply reply_of(T&& value) {
  using Value = std::remove_cvref_t<T>;
  if constexpr (is_result<Value>) {
    if (!value) return failed_reply(value.error());
    if constexpr (std::is_void_v<typename Value::value_type>) {
      return {};
    } else {
      return reply_of(*std::forward<T>(value));
    }
  } else if constexpr (std::is_same_v<Value, bool>) {
    return value ? HandlerReply{} : refused_reply();
  } else {
    HandlerReply reply;
    reply.result = encode(value);
    return reply;
  }
}

/// The payload as the handler wants it; the error says what does not fit.
template <class Payload>
Result<Payload> read_payload(std::string_view text) {
  if constexpr (std::is_same_v<Payload, std::string> || std::is_same_v<Payload, std::string_view>) {
    return Payload(text);  // the JSON text itself
  } else {
    return decode_text<Payload>(text);
  }
}

template <class Function, class Payload>
decltype(auto) call_handler(Function& function, const Payload& payload, Context& context) {
  if constexpr (MethodOf<Function>::takes_context) {
    return function(payload, context);
  } else {
    return function(payload);
  }
}

template <class Function>
BlockingHandler blocking_handler(Function function) {
  using Payload = typename MethodOf<Function>::Payload;
  // The worker calls it concurrently, as it says: a mutable function object is shared, not copied.
  return [function = std::move(function)](std::string_view text, Context& context) mutable -> HandlerReply {
    auto payload = read_payload<Payload>(text);
    if (!payload) return undecodable_reply(payload.error());
    if constexpr (std::is_void_v<decltype(call_handler(function, *payload, context))>) {
      call_handler(function, *payload, context);
      return {};
    } else {
      return reply_of(call_handler(function, *payload, context));
    }
  };
}

/// Handlers that start something of their own, such as the coroutines of asio.hpp, have `start` and `Payload`.
template <class T>
concept Starts = requires {
  typename T::millrace_starting_handler;
};

template <class Function>
AnyHandler any_handler(Function function) {
  AnyHandler handler;
  if constexpr (Starts<Function>) {
    if constexpr (HasTaskType<typename Function::Payload>) handler.types = task_types<typename Function::Payload>();
    handler.start = std::move(function).starting_handler();
  } else {
    using Payload = typename MethodOf<Function>::Payload;
    if constexpr (HasTaskType<Payload>) handler.types = task_types<Payload>();
    handler.run = blocking_handler(std::move(function));
  }
  return handler;
}

}  // namespace millrace::detail
