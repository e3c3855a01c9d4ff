#include <gtest/gtest.h>

#include <millrace/client.hpp>

#include "connect/connection.hpp"
#include "sdk/fake_broker.hpp"

namespace millrace {
namespace {

TEST(Client, ItemsAreAcceptedOrRefusedAlone) {
  const Client client(handle_of(std::make_shared<FakeBroker>()));
  TaskSpec good, bad;
  good.task_type = "work";
  const auto submitted = client.submit({good, bad}).value();
  ASSERT_EQ(submitted.size(), 2u);
  EXPECT_TRUE(submitted[0]);
  EXPECT_EQ(submitted[1].error().field, "task_type");
}

TEST(Client, ThrowsWhatItsTwinReturns) {
  const Client client(handle_of(std::make_shared<FakeBroker>()));
  EXPECT_EQ(client.try_enqueue("", Json()).error().code, ErrorCode::invalid_argument);
  EXPECT_THROW(client.enqueue("", Json()), Failure);
  EXPECT_EQ(client.try_list().error().code, ErrorCode::unsupported);
}

TEST(Client, AnUnlinkedBrokerIsRefusedWhereItIsNamed) { EXPECT_THROW(Client("rediss://127.0.0.1"), Failure); }

}  // namespace
}  // namespace millrace
