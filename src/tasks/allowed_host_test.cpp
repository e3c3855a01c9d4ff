#include "tasks/allowed_host.hpp"

#include <gtest/gtest.h>

namespace millrace::tasks {
namespace {

TEST(AllowedHost, ReadsNamePortAndThePermissionForPrivateAddresses) {
  EXPECT_EQ(parse_allowed_host("API.example.com").value(), (AllowedHost{"api.example.com", 0, false}));
  EXPECT_EQ(parse_allowed_host("api.example.com.:8443").value(), (AllowedHost{"api.example.com", 8443, false}));
  EXPECT_EQ(parse_allowed_host("10.0.0.7:8080+private").value(), (AllowedHost{"10.0.0.7", 8080, true}));
  EXPECT_EQ(parse_allowed_host("[::1]:9000+private").value(), (AllowedHost{"[::1]", 9000, true}));
}

TEST(AllowedHost, RefusesWhatIsNoHost) {
  for (const char* text :
       {"", "+private", "http://a", "a:b", "a:0", "a:65536", "a:80x", "a b", "[::1", "*.", "bücher.example"})
    EXPECT_FALSE(parse_allowed_host(text)) << text;
}

TEST(AllowedHost, AnEntryWithoutPortMeansTheSchemesOwnPort) {
  const std::vector<AllowedHost> hosts{{"a.example", 0, false}, {"b.example", 8080, false}};
  EXPECT_NE(find_allowed_host(hosts, "A.Example", 443, 443), nullptr);
  EXPECT_NE(find_allowed_host(hosts, "a.example.", 80, 80), nullptr);
  EXPECT_EQ(find_allowed_host(hosts, "a.example", 22, 80), nullptr);
  EXPECT_NE(find_allowed_host(hosts, "b.example", 8080, 80), nullptr);
  EXPECT_EQ(find_allowed_host(hosts, "b.example", 80, 80), nullptr);
}

TEST(AllowedHost, AStarCoversNamesBelowAndNotTheNameItselfOrALookAlike) {
  const std::vector<AllowedHost> hosts{{"*.example.com", 0, false}};
  EXPECT_NE(find_allowed_host(hosts, "x.example.com", 80, 80), nullptr);
  EXPECT_NE(find_allowed_host(hosts, "x.y.example.com", 80, 80), nullptr);
  EXPECT_EQ(find_allowed_host(hosts, "example.com", 80, 80), nullptr);
  EXPECT_EQ(find_allowed_host(hosts, "evilexample.com", 80, 80), nullptr);
  EXPECT_EQ(find_allowed_host(hosts, "x.example.com.evil.net", 80, 80), nullptr);
}

}  // namespace
}  // namespace millrace::tasks
