#include "tests/conformance/conformance.hpp"
#include "tests/support/engine_under_test.hpp"

namespace millrace {
namespace {

std::string name_of(const testing::TestParamInfo<support::BrokerKind>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Embedded, BrokerConformance,
                         testing::Values(support::engine_in_memory(), support::engine_on_rocksdb(),
                                         support::engine_short_of_memory()),
                         name_of);

}  // namespace
}  // namespace millrace
