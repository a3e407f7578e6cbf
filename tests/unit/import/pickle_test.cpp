#include "import/pickle.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/expect_error.h"
#include "support/expect_parts.h"
#include "unit/import/archives.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using namespace std::string_literals;
using Kind = Value::Kind;
using test::error_of;

/// The pickle's bytes must outlive the result.
Pickle read(const std::string& program) {
  return read_pickle(std::as_bytes(std::span(program)), "x.pt");
}

std::string pickle_refusal(const std::string& program) {
  return error_of<FormatError>([&] { read(program); });
}

using test::expect_parts;

// pickle.dumps({"i": [0, 255, 65535, -70000, 1 << 40, -1 << 40], "r": 2.5, "s": (None, True,
// False), "t": ("ü",), "e": {}, "l": []}, 2) of Python 3.11.
const std::string kPlain =
    "\x80\x02}q\x00(X\x01\x00\x00\x00iq\x01]q\x02("
    "K\x00K\xffM\xff\xffJ\x90\xee\xfe\xff\x8a\x06\x00\x00"
    "\x00\x00\x00\x01\x8a\x06\x00\x00\x00\x00\x00\xff"
    "eX\x01\x00\x00\x00rq\x03G@"
    "\x04\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00sq\x04N\x88\x89\x87q\x05"
    "X\x01\x00\x00\x00tq\x06X\x02\x00\x00\x00\xc3\xbcq\x07\x85q\x08X\x01\x00\x00\x00"
    "eq\t}q\nX\x01\x00\x00\x00lq\x0b]q\x0cu."s;

std::vector<std::int64_t> integers_of(const Pickle& pickle, Ref list) {
  std::vector<std::int64_t> numbers;
  for (const Ref item : pickle.items(list)) numbers.push_back(pickle[item].integer);
  return numbers;
}

TEST(Pickle, PlainValues) {
  const std::string program = kPlain;
  const Pickle pickle = read(program);
  ASSERT_TRUE(pickle.is(pickle.root, Kind::dict));
  const auto items = pickle.items(pickle.root);
  ASSERT_EQ(items.size(), 12u);
  EXPECT_EQ(pickle.text(items[0]), "i");
  ASSERT_TRUE(pickle.is(items[1], Kind::list));
  EXPECT_EQ(integers_of(pickle, items[1]),
            (std::vector<std::int64_t>{0, 255, 65535, -70000, std::int64_t{1} << 40,
                                       -(std::int64_t{1} << 40)}));
  EXPECT_TRUE(pickle.is(items[3], Kind::number));
  const auto three = pickle.items(items[5]);
  ASSERT_EQ(three.size(), 3u);
  EXPECT_TRUE(pickle.is(three[0], Kind::none));
  EXPECT_EQ(pickle[three[1]].integer, 1);
  EXPECT_TRUE(pickle.is(three[2], Kind::boolean));
  EXPECT_EQ(pickle.text(pickle.items(items[7])[0]), "ü");
  EXPECT_TRUE(pickle.is(items[9], Kind::dict));
  EXPECT_TRUE(pickle.is(items[11], Kind::list));
}

TEST(Pickle, WhatRunsSomethingIsRefused) {
  // os.system("ls"), as pickle.dumps writes it.
  expect_parts(pickle_refusal("\x80\x02"
                              "cposix\nsystem\nq\0X\x02\0\0\0lsq\x01\x85q\x02Rq\x03."s),
               {"[import] x.pt", "\"posix.system\"", "nothing was executed", "state_dict()"});
  // The name alone is refused, by every operation that can name it.
  for (const char* global :
       {"builtins\neval", "__builtin__\neval", "os\nsystem", "os.path\njoin", "nt\nsystem",
        "torch\nload", "torch.serialization\nload", "torch.hub\nload", "subprocess\nPopen",
        "operator\nmethodcaller", "runpy\nrun_path", "sys\nexit"})
    expect_parts(pickle_refusal("\x80\x02"s + 'c' + global + "\n)R."), {"nothing was executed"});
  expect_parts(pickle_refusal("\x80\x04\x8c\x05posix\x8c\x06system\x93."s), {"\"posix.system\""});
  expect_parts(pickle_refusal("(iposix\nsystem\n."s), {"\"posix.system\""});
  for (const char code : {'\x82', 'P', 'S', 'V', 'p', 'g', '\x97', '\x98'})
    expect_parts(pickle_refusal("\x80\x02}"s + code + "os\nsystem\n."),
                 {"operation 0x", "torch.save does not write"});
  // Known functions refuse wrong arguments.
  expect_parts(pickle_refusal("\x80\x02"
                              "ctorch._utils\n_rebuild_tensor_v2\n)R."s),
               {"torch._utils._rebuild_tensor_v2 gets arguments that it does not take"});
  expect_parts(pickle_refusal("\x80\x02}\x85Q."s), {"an object that is not a tensor's storage"});
  expect_parts(pickle_refusal("\x80\x02K\x01}b."s), {"attributes of a value that has none"});
}

TEST(Pickle, OtherFunctionsAreNames) {
  for (const char* global :
       {"__main__\nNet", "torch._utils\n_rebuild_tensor_v3", "collections\nOrderedDict.__init__",
        "numpy\nndarray", "datetime\ndatetime"}) {
    const std::string program = "\x80\x02"s + 'c' + global + "\nK\x01\x85R.";
    const Pickle pickle = read(program);
    EXPECT_TRUE(pickle.is(pickle.root, Kind::object)) << global;
    std::string name = global;
    name[name.find('\n')] = '.';
    EXPECT_EQ(pickle.made_by(pickle.root), name);
  }
}

TEST(Pickle, TakesNothingThatIsNotThere) {
  for (const std::string& program : {"."s,
                                     "N"s,
                                     "NN."s,
                                     "N.N"s,
                                     "a."s,
                                     "]a."s,
                                     "}s."s,
                                     "}Ns."s,
                                     "}(Nu."s,
                                     "(."s,
                                     "e."s,
                                     "t."s,
                                     "u."s,
                                     "]N(\x85."s,
                                     "h\0."s,
                                     "j\xff\xff\xff\xff."s,
                                     "Nr\xff\xff\xff\xff."s,
                                     "q\0."s,
                                     "R."s,
                                     "b."s,
                                     "0."s,
                                     "1."s,
                                     "2."s,
                                     "o."s,
                                     "(o."s,
                                     "ia\n"s,
                                     "(Nd."s,
                                     "\x81."s,
                                     "\x92."s,
                                     "\x93."s,
                                     "NN\x93."s,
                                     "\x90."s,
                                     "\x91."s,
                                     "\x94."s,
                                     "\x95\xff\0\0\0\0\0\0\0N."s,
                                     "\x8b\xff\xff\xff\xff."s,
                                     "T\xff\xff\xff\xff."s,
                                     "\x8d\xff\xff\xff\xff\xff\xff\xff\xff."s,
                                     "B\xff\xff\xff\xff."s,
                                     "Ix\n."s,
                                     "I\n."s,
                                     "L1"s,
                                     "Q."s,
                                     "X\xff\xff\xff\xff."s,
                                     "\x8a\xff."s,
                                     "\x8a\x09\0\0\0\0\0\0\0\x01."s,
                                     "G."s,
                                     "cos"s,
                                     "c\n"s,
                                     "]K\x01s."s,
                                     "(N]e."s,
                                     ""s})
    expect_parts(pickle_refusal("\x80\x02"s + program), {"[import] x.pt"});
}

TEST(Pickle, DeepIsBounded) {
  constexpr std::size_t kDeep = 500'000;  // of two bytes each
  const std::string deep = std::string(kDeep, ']') + std::string(kDeep - 1, 'a') + ".";
  EXPECT_EQ(read(deep).size(), kDeep);
  expect_parts(pickle_refusal("N" + std::string(1'000'000, '(')), {"ends too early"});
  // A list that holds itself.
  const std::string program = "]q\0h\0a."s;
  const Pickle own = read(program);
  ASSERT_EQ(own.items(own.root).size(), 1u);
  EXPECT_EQ(own.items(own.root)[0], own.root);
  // A few bytes name a long name again and again.
  std::string names = "\x80\x04\x8c\xff" + std::string(255, 'a') + "\x94\x8c\xff" +
                      std::string(255, 'b') + "\x94\x93";
  for (int i = 0; i < 1000; ++i) names += "h\0h\x01\x93"s;
  expect_parts(pickle_refusal(names + "."), {"all names are longer than the pickle"});
}

TEST(Trial09, IntegersBeyond64BitsAreRead) {
  // {"a": 2**64 + 5, "b": -2**63, "c": 9425633049019702871, "d": 2**63 - 1}, pickle.dumps(..., 2).
  const std::string program =
      "\x80\x02}(X\1\0\0\0a\x8a\x09\5\0\0\0\0\0\0\0\1X\1\0\0\0b\x8a\x08\0\0\0\0\0\0\0\x80"
      "X\1\0\0\0c\x8a\x09\x57\x5e\0\xa6\x51\x93\xce\x82\0X\1\0\0\0d\x8a\x08\xff\xff\xff\xff\xff"
      "\xff\xff\x7fu."s;
  const Pickle pickle = read(program);
  const auto items = pickle.items(pickle.root);
  ASSERT_EQ(items.size(), 8u);
  EXPECT_TRUE(pickle.is(items[1], Kind::number));
  EXPECT_EQ(pickle[items[3]].integer, std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(pickle.is(items[5], Kind::number));
  EXPECT_EQ(pickle[items[7]].integer, std::numeric_limits<std::int64_t>::max());
  // LONG4 of 300 bytes, and protocol 1's decimal digits.
  const std::string large = "\x8b\x2c\1\0\0"s + std::string(300, '\1') + "L" +
                            std::string(40, '9') + "L\nI-7\nI01\n\x86\x87.";
  const Pickle more = read(large);
  const auto three = more.items(more.root);
  EXPECT_TRUE(more.is(three[0], Kind::number));
  EXPECT_TRUE(more.is(three[1], Kind::number));
  EXPECT_EQ(more[more.items(three[2])[0]].integer, -7);
  EXPECT_TRUE(more.is(more.items(three[2])[1], Kind::boolean));
}

TEST(Trial09, ManyValuesAreReadAndTheLimitIsNamed) {
  // The losses of three million steps.
  constexpr std::size_t kSteps = 3'000'000;
  std::string losses = "\x80\x02](";
  for (std::size_t i = 0; i < kSteps; ++i) losses += "G?\xf0\0\0\0\0\0\0"s;
  losses += "e.";
  const Pickle pickle = read(losses);
  EXPECT_EQ(pickle.items(pickle.root).size(), kSteps);
  const std::string limit = pickle_refusal(std::string((1 << 25) + 1, ']'));
  expect_parts(pickle_refusal(std::string(1'000'000, ']')), {"more than 565536 values"});
  expect_parts(limit, {"more than 16777216 values, the limit", "torch.save(model.state_dict()"});
  EXPECT_EQ(limit.find("damaged"), std::string::npos);
}

TEST(Trial09, EveryProtocolIsReadAndNewerOnesAreNamed) {
  // pickle.dumps({"a": [1, 2], "b": (b"x", {3}, frozenset({4}), bytearray(b"y"))}, 5) of
  // Python 3.11, and the same with protocol 4, which has no bytearray.
  for (const std::string& program :
       {"\x80\5\x95\x32\0\0\0\0\0\0\0}\x94(\x8c\1a\x94]\x94(K\1K\2e\x8c\1b\x94(C\1x\x94\x8f\x94(K\3"
        "\x90(K\4\x91\x94\x96\1\0\0\0\0\0\0\0y\x94t\x94u."s,
        "\x80\4\x95\x28\0\0\0\0\0\0\0}\x94(\x8c\1a\x94]\x94(K\1K\2e\x8c\1b\x94(C\1x\x94\x8f\x94"
        "(K\3\x90(K\4\x91\x94Nt\x94u."s}) {
    const Pickle pickle = read(program);
    const auto items = pickle.items(pickle.root);
    ASSERT_EQ(items.size(), 4u);
    EXPECT_EQ(integers_of(pickle, items[1]), (std::vector<std::int64_t>{1, 2}));
    const auto four = pickle.items(items[3]);
    ASSERT_EQ(four.size(), 4u);
    EXPECT_TRUE(pickle.is(four[0], Kind::bytes));
    EXPECT_EQ(integers_of(pickle, four[1]), std::vector<std::int64_t>{3});
    EXPECT_EQ(integers_of(pickle, four[2]), std::vector<std::int64_t>{4});
  }
  const std::string newer = pickle_refusal("\x80\x09}."s);
  expect_parts(newer, {"protocol 9, expected 1 to 5", "pickle_protocol=2"});
  EXPECT_EQ(newer.find("damaged"), std::string::npos);
}

TEST(Trial09, CollectionsAreWhatTheyHold) {
  // OrderedDict([["a", 1]]) of Python 2, defaultdict(list) with an item, Counter({"b": 2}),
  // set([3]), deque((), 5) with an item, a dict's subclass with an item.
  const std::string program =
      "(ccollections\nOrderedDict\n](](X\1\0\0\0aK\1ee\x85R"
      "ccollections\ndefaultdict\nc__builtin__\nlist\n\x85RX\1\0\0\0cNs"
      "ccollections\nCounter\n}X\1\0\0\0bK\2s\x85R"
      "c__builtin__\nset\n](K\3e\x85R"
      "ccollections\ndeque\n)K\5\x86RK\4a"
      "cmine\nDict\n)\x81X\1\0\0\0dK\6s}X\1\0\0\0eNsbt."s;
  const Pickle pickle = read(program);
  const auto items = pickle.items(pickle.root);
  ASSERT_EQ(items.size(), 6u);
  for (const std::size_t dict : {0, 1, 2, 5}) ASSERT_EQ(pickle.members(items[dict]).size(), 2u);
  EXPECT_EQ(pickle.text(pickle.members(items[0])[0]), "a");
  EXPECT_EQ(pickle[pickle.members(items[0])[1]].integer, 1);
  EXPECT_EQ(pickle.text(pickle.members(items[1])[0]), "c");
  EXPECT_EQ(pickle.text(pickle.members(items[2])[0]), "b");
  EXPECT_EQ(pickle.text(pickle.members(items[5])[0]), "d");
  EXPECT_EQ(integers_of(pickle, items[3]), std::vector<std::int64_t>{3});
  EXPECT_EQ(integers_of(pickle, items[4]), std::vector<std::int64_t>{4});
}

/// Reads the bytes. They may be read or refused, but nothing else may happen.
void expect_harmless_pickle(const std::string& program) {
  try {
    read(program);
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("[import] x.pt"), std::string::npos);
  }
}

TEST(Pickle, DamageIsFound) {
  Bytes file = torch_file("lstm.pt");
  const std::string whole(reinterpret_cast<const char*>(file.data()), file.size());
  // The pickle is stored uncompressed in the archive.
  const std::size_t first = whole.find("\x80\x02"s), end = whole.find("PK\x07\x08"s, first);
  ASSERT_NE(end, std::string::npos);
  const std::size_t last = whole.rfind('.', end);
  const std::string torch = whole.substr(first, last + 1 - first);
  for (const std::string& good : {kPlain, torch}) {
    EXPECT_GT(read(good).size(), 10u);
    for (std::size_t size = 0; size < good.size(); ++size)
      EXPECT_THROW(read(good.substr(0, size)), FormatError) << size;
    std::string bad = good;
    for (std::size_t i = 0; i < good.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
        expect_harmless_pickle(bad);
        bad[i] = good[i];
      }
  }
}

}  // namespace
}  // namespace unroll::importer
