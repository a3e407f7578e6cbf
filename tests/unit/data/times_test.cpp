#include "data/times.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace unroll::data {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// import datetime as d
// int(d.datetime(2014, 7, 1, 0, 30, tzinfo=d.timezone.utc).timestamp())  # 1404174600
constexpr std::int64_t kHalfPastMidnight = 1404174600 * kSecond;

TEST(IsoTime, ReadsEachForm) {
  EXPECT_EQ(iso_time("1970"), 0);
  EXPECT_EQ(iso_time("2014-07"), 1404172800 * kSecond);
  EXPECT_EQ(iso_time("2014-07-01"), 1404172800 * kSecond);
  EXPECT_EQ(iso_time("2014-07-01T00:30"), kHalfPastMidnight);
  EXPECT_EQ(iso_time("2014-07-01 00:30:00"), kHalfPastMidnight);
  EXPECT_EQ(iso_time("2014-07-01T00:30:05.25Z"), kHalfPastMidnight + 5 * kSecond + kSecond / 4);
  EXPECT_EQ(iso_time("2014-07-01T00:30:00.1234567899"), kHalfPastMidnight + 123456789);
  EXPECT_EQ(iso_time("2014-07-01T10:30+10:00"), kHalfPastMidnight);
  EXPECT_EQ(iso_time("2014-06-30T17:00-0730"), kHalfPastMidnight);
  // date -u -d 1899-12-31T23:59:59Z +%s
  EXPECT_EQ(iso_time("1899-12-31T23:59:59"), -2208988801 * kSecond);
  EXPECT_EQ(iso_time("2000-02-29"), 951782400 * kSecond);
}

TEST(IsoTime, RefusesOtherTexts) {
  for (const char* text : {"",
                           "14",
                           "20140701",
                           "2014-7-1",
                           "2014-13",
                           "2014-02-29",
                           "1900-02-29",
                           "2014-07-01T",
                           "2014-07-01T24:00",
                           "2014-07-01T00:60",
                           "2014-07-01T00:30:60",
                           "2014-07-01T00",
                           "2014-07-01T00:30:00.",
                           "2014-07-01T00:30+15:00",
                           "2014-07-01T00:30+1",
                           "2014-07-01 ",
                           "2014/07/01",
                           "1600-01-01",
                           "2300-01-01",
                           "2014-07-01T00:30x"})
    EXPECT_EQ(iso_time(text), std::nullopt) << text;
}

TEST(FormattedTime, ReadsAsStrptimeDoes) {
  EXPECT_EQ(formatted_time("01/07/2014 00:30", "%d/%m/%Y %H:%M"), kHalfPastMidnight);
  EXPECT_EQ(formatted_time("1/7/14  0:30", "%d/%m/%y %H:%M"), kHalfPastMidnight);
  EXPECT_EQ(formatted_time("Jul 1, 2014 12:30 AM", "%b %d, %Y %I:%M %p"), kHalfPastMidnight);
  EXPECT_EQ(formatted_time("182 2014 12:30:15.5 pm", "%j %Y %I:%M:%S.%f %p"),
            kHalfPastMidnight + 12 * 3600 * kSecond + 15 * kSecond + kSecond / 2);
  EXPECT_EQ(formatted_time("20140701T103000+1000", "%Y%m%dT%H%M%S%z"), kHalfPastMidnight);
  EXPECT_EQ(formatted_time("1%1%69", "%d%%%m%%%y"), iso_time("1969-01-01"));
  EXPECT_EQ(formatted_time("366 2015", "%j %Y"), std::nullopt);
  EXPECT_EQ(formatted_time("31/04/2014", "%d/%m/%Y"), std::nullopt);
  EXPECT_EQ(formatted_time("01/07/2014 ", "%d/%m/%Y"), std::nullopt);
  EXPECT_EQ(formatted_time("13:00", "%I:%M"), std::nullopt);
  EXPECT_EQ(formatted_time("x", "%"), std::nullopt);
}

TEST(FormattedTime, ChecksTheFormat) {
  EXPECT_EQ(time_format_fault("%d/%m/%Y %H:%M%%"), "");
  EXPECT_EQ(time_format_fault("%d %"), "ends with %; write %% for the character itself");
  EXPECT_EQ(time_format_fault("%Q"),
            "has %Q, expected one of %Y %y %m %b %d %j %H %I %p %M %S %f %z %%");
}

TEST(TimeKeys, OrderWholeNumbersRealNumbersAndTimes) {
  // Two whole numbers that are one double.
  const std::vector<std::string> whole = {"1700000000000000001", "1700000000000000000", "-5"};
  EXPECT_EQ(time_keys(whole, "").keys,
            (std::vector<std::int64_t>{1700000000000000001, 1700000000000000000, -5}));
  EXPECT_EQ(time_keys(whole, "").form, "numbers");

  const std::vector<std::string> real = {"-1e3", "-0.5", "-0.0", "1e-9", "0.5", "2", "1e300"};
  const std::vector<std::int64_t> keys = time_keys(real, "").keys;
  ASSERT_EQ(keys.size(), real.size());
  EXPECT_TRUE(std::ranges::is_sorted(keys, std::less<>()));
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());

  const std::vector<std::string> iso = {"2014-07-01", "2014-06"};
  EXPECT_EQ(time_keys(iso, "").form, "ISO 8601");
  EXPECT_GT(time_keys(iso, "").keys[0], time_keys(iso, "").keys[1]);
}

TEST(TimeKeys, NameTheFirstTextOfAnotherForm) {
  const auto wrong = [](std::vector<std::string> texts, const char* format) {
    const TimeKeys keys = time_keys(texts, format);
    return std::pair(std::string(keys.form), keys.wrong);
  };
  using Wrong = std::pair<std::string, std::optional<std::size_t>>;
  EXPECT_EQ(wrong({"2014-07-01", "July"}, ""), Wrong("ISO 8601", 1));
  EXPECT_EQ(wrong({"0.5", "1", "later"}, ""), Wrong("numbers", 2));
  EXPECT_EQ(wrong({"2014", "2015"}, ""), Wrong("ISO 8601", {}));
  EXPECT_EQ(wrong({"1.7.14", "x"}, "%d.%m.%y"), Wrong("--time-format", 1));
}

}  // namespace
}  // namespace unroll::data
