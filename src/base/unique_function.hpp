#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace millrace {

template <class Signature>
class UniqueFunction;

/// A callable that is moved, never copied, so that it can own what it needs (C++23 has `std::move_only_function`).
template <class Return, class... Args>
class UniqueFunction<Return(Args...)> {
 public:
  UniqueFunction() = default;
  UniqueFunction(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)

  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> && std::is_invocable_r_v<Return, F&, Args...>)
      UniqueFunction(F&& function)  // NOLINT(google-explicit-constructor)
      : target_(std::make_unique<Target<std::decay_t<F>>>(std::forward<F>(function))) {}

  explicit operator bool() const noexcept { return target_ != nullptr; }
  Return operator()(Args... args) { return target_->call(std::forward<Args>(args)...); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual Return call(Args&&... args) = 0;
  };
  template <class F>
  struct Target final : Base {
    explicit Target(F function) : function_(std::move(function)) {}
    Return call(Args&&... args) override { return function_(std::forward<Args>(args)...); }
    F function_;
  };
  std::unique_ptr<Base> target_;
};

}  // namespace millrace
