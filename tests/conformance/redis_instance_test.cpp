#include "tests/conformance/conformance.hpp"
#include "tests/support/redis_under_test.hpp"

namespace millrace {
namespace {

INSTANTIATE_TEST_SUITE_P(Redis, BrokerConformance, testing::Values(support::on_redis()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace millrace
