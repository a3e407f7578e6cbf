#include "import/pickle.h"

#include <gtest/gtest.h>

#include "support/expect_error.h"
#include "unit/import/archives.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using namespace std::string_literals;
using Kind = Value::Kind;
using test::error_of;

Pickle read(const std::string& program) { return read_pickle(bytes_of(program), "x.pt"); }

std::string refusal(const std::string& program) {
  return error_of<FormatError>([&] { read(program); });
}

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

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

TEST(Pickle, PlainValues) {
  const Pickle pickle = read(kPlain);
  const Value& root = pickle[pickle.root];
  ASSERT_EQ(root.kind, Kind::dict);
  ASSERT_EQ(root.items.size(), 12u);
  EXPECT_EQ(pickle[root.items[0]].text, "i");
  const Value& integers = pickle[root.items[1]];
  ASSERT_EQ(integers.kind, Kind::list);
  std::vector<std::int64_t> numbers;
  for (const Ref item : integers.items) numbers.push_back(pickle[item].integer);
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{0, 255, 65535, -70000, std::int64_t{1} << 40,
                                                -(std::int64_t{1} << 40)}));
  EXPECT_EQ(pickle[root.items[3]].kind, Kind::real);
  EXPECT_EQ(pickle[root.items[3]].real, 2.5);
  const Value& three = pickle[root.items[5]];
  ASSERT_EQ(three.items.size(), 3u);
  EXPECT_EQ(pickle[three.items[0]].kind, Kind::none);
  EXPECT_EQ(pickle[three.items[1]].integer, 1);
  EXPECT_EQ(pickle[three.items[2]].kind, Kind::boolean);
  EXPECT_EQ(pickle[pickle[root.items[7]].items[0]].text, "ü");
  EXPECT_EQ(pickle[root.items[9]].kind, Kind::dict);
  EXPECT_EQ(pickle[root.items[11]].kind, Kind::list);
}

TEST(Pickle, NothingElseThanDataIsRead) {
  // os.system("ls"), as pickle.dumps writes it.
  expect_parts(refusal("\x80\x02"
                       "cposix\nsystem\nq\0X\x02\0\0\0lsq\x01\x85q\x02Rq\x03."s),
               {"[import] x.pt", "\"posix.system\"", "nothing was executed", "state_dict()"});
  for (const char* global :
       {"builtins\neval", "os\nsystem", "torch\nload", "__main__\nNet",
        "torch._utils\n_rebuild_tensor_v3", "collections\nOrderedDict.__init__",
        "torch.serialization\nload", "", "numpy\nndarray"})
    expect_parts(refusal("\x80\x02"s + 'c' + global + "\n\n."), {"nothing was executed"});
  // Operations that make or call something: INST, OBJ, NEWOBJ, EXT1, STACK_GLOBAL, BINBYTES, and
  // persistent ids of protocol 0.
  for (const char code : {'i', 'o', '\x81', '\x82', '\x93', 'B', 'P', 'S', 'I', 'V', '\x95'})
    expect_parts(refusal("\x80\x02}"s + code + "os\nsystem\n."), {"operation 0x"});
  // What is allowed takes what it takes and no more.
  expect_parts(refusal("\x80\x02"
                       "ccollections\nOrderedDict\n]\x85R."s),
               {"collections.OrderedDict is given what it does not take"});
  expect_parts(refusal("\x80\x02"
                       "ctorch\nFloatStorage\n)R."s),
               {"torch.FloatStorage is given"});
  expect_parts(refusal("\x80\x02}\x85Q."s), {"something else than a tensor's storage"});
  expect_parts(refusal("\x80\x02K\x01}b."s), {"changes something else"});
  expect_parts(refusal("\x80\x04}."s), {"protocol 4, expected 2; save it", "pickle_protocol=2"});
  EXPECT_EQ(refusal("\x80\x04}."s).find("damaged"), std::string::npos);
  expect_parts(refusal("\x80\x09}."s), {"protocol is 9, expected 2", "damaged"});
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
                                     "Q."s,
                                     "X\xff\xff\xff\xff."s,
                                     "\x8a\xff."s,
                                     "\x8a\x09\0\0\0\0\0\0\0\0\x01."s,
                                     "G."s,
                                     "cos"s,
                                     "c\n"s,
                                     "]K\x01s."s,
                                     "(N]e."s,
                                     ""s})
    expect_parts(refusal("\x80\x02"s + program), {"[import] x.pt"});
}

TEST(Pickle, DeepAndEndlessIsBounded) {
  constexpr std::size_t kDeep = 500'000;
  EXPECT_EQ(read(std::string(kDeep, ']') + std::string(kDeep - 1, 'a') + ".").values.size(), kDeep);
  expect_parts(refusal(std::string(2'000'000, ']')), {"more than 1048576 values"});
  expect_parts(refusal("N" + std::string(5'000'000, '(')), {"more than 4194304 operations"});
  // A list that holds itself.
  const Pickle own = read("]q\0h\0a."s);
  EXPECT_EQ(own[own.root].items, std::vector<Ref>{own.root});
}

/// Reads it or refuses it.
void expect_no_harm(const std::string& program) {
  try {
    read(program);
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("[import] x.pt"), std::string::npos);
  }
}

TEST(Pickle, DamageIsFound) {
  Bytes file = torch_file("lstm.pt");
  const std::string whole(reinterpret_cast<const char*>(file.data()), file.size());
  // It lies in the archive as it is.
  const std::size_t first = whole.find("\x80\x02"s), end = whole.find("PK\x07\x08"s, first);
  ASSERT_NE(end, std::string::npos);
  const std::size_t last = whole.rfind('.', end);
  const std::string torch = whole.substr(first, last + 1 - first);
  for (const std::string& good : {kPlain, torch}) {
    EXPECT_GT(read(good).values.size(), 10u);
    for (std::size_t size = 0; size < good.size(); ++size)
      EXPECT_THROW(read(good.substr(0, size)), FormatError) << size;
    std::string bad = good;
    for (std::size_t i = 0; i < good.size(); ++i)
      for (int bit = 0; bit < 8; ++bit) {
        bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
        expect_no_harm(bad);
        bad[i] = good[i];
      }
  }
}

}  // namespace
}  // namespace unroll::importer
