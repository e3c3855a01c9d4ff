#include <cstdlib>
#include <cxxabi.h>
#include <memory>
#include <typeinfo>

#include <millrace/detail/handler.hpp>

namespace millrace::detail {
namespace {

/// `mail::SmtpError` for a type's mangled name.
std::string readable(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 && name ? std::string(name.get()) : std::string(type.name());
}

HandlerReply failed(std::string type, std::string message) {
  HandlerReply reply;
  reply.outcome = Outcome::failed;
  reply.error = TaskError{std::move(type), std::move(message), {}};
  return reply;
}

}  // namespace

HandlerReply failed_reply(const Error& error) { return failed(std::string(error_info(error.code).name), error.detail); }

HandlerReply undecodable_reply(const Error& error) {
  auto reply = failed("decode", error.detail);
  reply.undecodable = true;
  return reply;
}

HandlerReply refused_reply() { return failed("refused", "the handler returned false"); }

HandlerReply thrown_reply(const std::exception_ptr& thrown) noexcept {
  try {
    std::rethrow_exception(thrown);
  } catch (const Permanent& permanent) {
    auto reply = failed(permanent.type(), permanent.what());
    reply.permanent = true;
    return reply;
  } catch (const Defer& defer) {
    HandlerReply reply;
    reply.outcome = Outcome::deferred;
    reply.delay = std::clamp(defer.delay(), Milliseconds(0), duration_max);
    return reply;
  } catch (const Failure& failure) {
    return failed_reply(failure.error());
  } catch (const std::exception& exception) {
    return failed(readable(typeid(exception)), exception.what());
  } catch (...) {
    return failed("unknown", "the handler threw something that is no std::exception");
  }
}

}  // namespace millrace::detail
