#include "tests/conformance/conformance.hpp"
#include "tests/support/engine_under_test.hpp"
#include "tests/support/remote_under_test.hpp"

namespace millrace {
namespace {

INSTANTIATE_TEST_SUITE_P(Remote, BrokerConformance,
                         testing::Values(support::through_a_gateway(support::engine_in_memory())),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace millrace
