// Every kind of mistake on the command line has an answer of one line.
#include "app/arguments.h"

#include <gtest/gtest.h>

#include <optional>

#include "app/command.h"
#include "app/help.h"
#include "app/usage_error.h"
#include "support/refusal.h"

namespace unroll::app {
namespace {

using Words = std::vector<std::string>;

/// A program with a command of each kind.
struct Sample {
  CommandEntry entry;
  std::string out, name, kind, place = "-";
  std::optional<std::int64_t> seed;
  std::vector<std::string> ignored, pair, sets;
  int steps = 7;
  double rate = 0.5;
  bool quiet = false, worked = false;

  Sample() {
    entry.path = "unroll";
    entry.notes = "The end\n";
    Command program(entry);
    program.flag(
        "-h,--help", [] {}, "Show this help");
    Command run = program.add("run", "Do the work", "unroll run x");
    run.option("name", name, "The name").required();
    run.option("place", place, "The place");
    run.option("-o,--out", out, "The file").file();
    run.option("--steps", steps, "Steps").shows_default();
    run.option("--rate", rate, "Rate");
    run.option("--seed", seed, "Seed").values(0, 1);
    run.option("--kind", kind, "Kind").choices({"one", "two", "three"});
    run.option("--ignore", ignored, "Pattern").repeatable("PATTERN");
    run.option("--pair", pair, "Two files").values(2, 2).file("IN OUT");
    run.flag("--quiet", quiet, "Say nothing");
    run.set_work([this] {
      worked = true;
      return 0;
    });
    Command data = program.add("data", "Data sets", "unroll data fetch");
    Command fetch = data.add("fetch", "Fetch one", "unroll data fetch");
    fetch.option("set", sets, "The sets").repeatable("SET");
    fetch.set_work([] { return 0; });
  }

  Request read(const Words& words) { return read_arguments(entry, words); }
};

std::string mistake(const Words& words) {
  try {
    Sample().read(words);
  } catch (const UsageError& error) {
    return std::string(error.reason());
  }
  return "none";
}

TEST(Arguments, AreReadInAnyOrder) {
  Sample sample;
  const Request request =
      sample.read({"run", "--rate=0.25", "x", "-o", "-", "--steps", "-3", "--ignore", "a",
                   "--quiet", "--ignore=b", "--pair", "in", "out", "--kind", "two", "y"});
  EXPECT_EQ(request.kind, Request::Kind::work);
  EXPECT_EQ(request.command->work(), 0);
  EXPECT_TRUE(sample.worked && sample.quiet);
  EXPECT_EQ(sample.name + sample.place + sample.out + sample.kind, "xy-two");
  EXPECT_EQ(sample.rate, 0.25);
  EXPECT_EQ(sample.steps, -3);
  EXPECT_EQ(sample.ignored, (Words{"a", "b"}));
  EXPECT_EQ(sample.pair, (Words{"in", "out"}));
  EXPECT_FALSE(sample.seed);
}

TEST(Arguments, KeepTheirValuesIfNotGiven) {
  Sample sample;
  sample.read({"run", "x"});
  EXPECT_EQ(sample.place, "-");
  EXPECT_EQ(sample.steps, 7);
  EXPECT_EQ(sample.rate, 0.5);
}

TEST(Arguments, ANumberThatMayBeLeftOut) {
  Sample without, with;
  without.read({"run", "--seed", "x"});
  EXPECT_EQ(without.name, "x");
  EXPECT_FALSE(without.seed);
  with.read({"run", "--seed", "5", "x"});
  EXPECT_EQ(with.name, "x");
  EXPECT_EQ(with.seed, 5);
  Sample before_two;
  before_two.read({"run", "--seed", "x", "y"});
  EXPECT_EQ(before_two.name + before_two.place, "xy");
  EXPECT_FALSE(before_two.seed);
}

TEST(Arguments, BehindTwoDashesNothingIsAFlag) {
  Sample sample;
  sample.read({"run", "--", "--quiet", "--help"});
  EXPECT_EQ(sample.name, "--quiet");
  EXPECT_EQ(sample.place, "--help");
  EXPECT_FALSE(sample.quiet);
}

TEST(Arguments, AnArgumentOfSeveralWords) {
  Sample one, two;
  one.read({"data", "fetch", "a"});
  EXPECT_EQ(one.sets, Words{"a"});
  two.read({"data", "fetch", "a", "b"});
  EXPECT_EQ(two.sets, (Words{"a", "b"}));
  EXPECT_EQ(usage_of(*two.read({"data", "fetch"}).command), "unroll data fetch [SET...]");
}

TEST(Arguments, ShortFlagsTakeTheirValueAttached) {
  Sample sample;
  sample.read({"run", "x", "-ofile"});
  EXPECT_EQ(sample.out, "file");
}

TEST(Arguments, HelpIsGivenBesideMistakes) {
  const Request request = Sample().read({"run", "--rate", "abc", "--nonsense", "-h"});
  EXPECT_EQ(request.kind, Request::Kind::help);
}

TEST(Mistakes, EachHasAnAnswer) {
  const std::string see = " (see: unroll run --help)";
  const std::pair<Words, std::string> mistakes[] = {
      // No value, an empty one, too few, too many.
      {{"run", "x", "--rate"}, "--rate needs a value; type --rate NUMBER" + see},
      {{"run", "x", "--rate", "--quiet"}, "--rate needs a value; type --rate NUMBER" + see},
      {{"run", "x", "--out="}, "--out is empty; is a shell variable not set?" + see},
      {{"run", "", "--out=a"}, "NAME is empty; is a shell variable not set?" + see},
      {{"run", "x", "--pair", "a"}, "--pair needs 2 values; type --pair IN OUT" + see},
      {{"run", "x", "--quiet=1"}, "--quiet takes no value; leave =1 out" + see},
      {{"run", "x", "--rate", "1", "--rate=2"}, "--rate is given twice; give it once" + see},
      // No number.
      {{"run", "x", "--rate", "abc"}, "--rate abc is not a number; give one such as 0.1" + see},
      {{"run", "x", "--rate", "0,1"}, "--rate 0,1 is not a number; write 0.1" + see},
      {{"run", "x", "--steps", "many"},
       "--steps many is not a whole number; give one such as 10" + see},
      {{"run", "x", "--steps", "1e3"}, "--steps 1e3 is not a whole number; write 1000" + see},
      {{"run", "x", "--steps", "1.5"},
       "--steps 1.5 is not a whole number; give one such as 10" + see},
      {{"run", "x", "--seed=x"}, "--seed x is not a whole number; give one such as 10" + see},
      {{"run", "x", "--steps", "9999999999"},
       "--steps 9999999999 is out of range; give a number closer to 0" + see},
      {{"run", "x", "--rate", "1e999"},
       "--rate 1e999 is out of range; give a number closer to 0" + see},
      // No choice.
      {{"run", "x", "--kind", "tow"},
       "--kind tow is not known; choose one, two or three; did you mean two?" + see},
      {{"run", "x", "--kind", "THREE"},
       "--kind THREE is not known; choose one, two or three; did you mean three?" + see},
      {{"run", "x", "--kind", "seventeen"},
       "--kind seventeen is not known; choose one, two or three" + see},
      // Flags that are not known.
      {{"run", "x", "--rat", "1"}, "the flag --rat is not known; did you mean --rate?" + see},
      {{"run", "x", "--STEPS=1"}, "the flag --STEPS is not known; did you mean --steps?" + see},
      {{"run", "x", "--iterations", "1"},
       "the flag --iterations is not known; did you mean --steps?" + see},
      {{"run", "x", "--gpu", "0"},
       "the flag --gpu is not known; Unroll runs on the CPU, leave it out" + see},
      {{"run", "x", "--xyzzy"}, "the flag --xyzzy is not known" + see},
      {{"run", "x", "-q"}, "the flag -q is not known" + see},
      {{"run", "x", "-hxy"}, "the flag -hxy is not known" + see},
      {{"run", "--", "x", "y", "--rate"},
       "--rate stands behind --, where every word is an argument; type it before --" + see},
      {{"run", "x", "-rate", "1"}, "the flag -rate is not known; did you mean --rate?" + see},
      {{"run", "--name", "x"},
       "NAME is an argument, not a flag; type unroll run NAME [PLACE] [FLAGS]" + see},
      {{"data", "fetch", "--kind=one"},
       "the flag --kind is not known; it is a flag of unroll run (see: unroll data fetch --help)"},
      // Arguments.
      {{"run"}, "NAME is missing; type unroll run NAME [PLACE] [FLAGS]" + see},
      {{"run", "x", "y", "z"},
       "the argument z is not expected; type unroll run NAME [PLACE] [FLAGS]" + see},
      {{"run", "x", "y", "rate=2"},
       "the argument rate=2 is not expected; did you mean --rate?" + see},
      // Commands.
      {{}, "a command is missing; choose run or data (see: unroll --help)"},
      {{"data"}, "a command is missing; choose fetch (see: unroll data --help)"},
      {{"rnu"}, "the command rnu is not known; did you mean run? (see: unroll --help)"},
      {{"rnu", "--rate", "1"},
       "the command rnu is not known; did you mean run? (see: unroll --help)"},
      {{"--", "run"},
       "run stands behind --, where every word is an argument; type it before -- "
       "(see: unroll --help)"},
      {{"rnu", "--help"}, "the command rnu is not known; did you mean run? (see: unroll --help)"},
      {{"download"}, "the command download is not known; did you mean data? (see: unroll --help)"},
      {{"--rate", "1", "run", "x"},
       "--rate is typed too early: the command comes first, as in: unroll run --rate "
       "(see: unroll --help)"},
  };
  for (const auto& [words, answer] : mistakes) {
    SCOPED_TRACE(testing::PrintToString(words));
    EXPECT_EQ(mistake(words), answer);
  }
}

// The program says the same, with its exit code and nothing else.
TEST(Mistakes, EndTheProgram) {
  const std::pair<Words, std::string> mistakes[] = {
      {{"train", "--lr", "abc"},
       "unroll: --lr abc is not a number; give one such as 0.1 (see: unroll train --help)\n"},
      {{"eval"},
       "unroll: MODEL is missing; type unroll eval MODEL [DATASET] [FLAGS] "
       "(see: unroll eval --help)\n"},
      {{"export", "model"},
       "unroll: --format is missing; give --format {onnx,npz,cpp,js} "
       "(see: unroll export --help)\n"},
      {{"train", "--learning-rate=1"},
       "unroll: the flag --learning-rate is not known; did you mean --lr? "
       "(see: unroll train --help)\n"},
      {{"help", "trian"},
       "unroll: the command trian is not known; did you mean train? (see: unroll --help)\n"},
  };
  for (const auto& [words, answer] : mistakes) {
    SCOPED_TRACE(testing::PrintToString(words));
    const auto result = test::run_program(words);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, answer);
  }
}

TEST(Help, OfACommand) {
  Sample sample;
  EXPECT_EQ(help_text(sample.entry.commands.front()),
            "Example:\n"
            "  unroll run x\n"
            "\n"
            "Do the work\n"
            "\n"
            "Usage: unroll run NAME [PLACE] [FLAGS]\n"
            "\n"
            "Arguments:\n"
            "  NAME                      The name\n"
            "  PLACE                     The place\n"
            "\n"
            "Flags:\n"
            "  -h, --help                Show this help\n"
            "  -o, --out FILE            The file\n"
            "  --steps N                 Steps. Default 7\n"
            "  --rate NUMBER             Rate\n"
            "  --seed [N]                Seed\n"
            "  --kind {one,two,three}    Kind\n"
            "  --ignore PATTERN          Pattern\n"
            "  --pair IN OUT             Two files\n"
            "  --quiet                   Say nothing\n"
            "\n"
            "Environment, exit codes and documentation: unroll --help\n");
}

TEST(Help, HeadingsKeepTheirOrderAndLongTextIsWrapped) {
  CommandEntry entry;
  entry.path = "unroll";
  entry.notes = "The end\n";
  Command program(entry);
  bool any = false;
  program.flag("--last", any, "Without a heading");
  program.flag("--first", any, std::string(90, 'x') + " and a second word").group("One");
  program.flag("--with-a-name-of-many-letters", any, "Below").group("Two");
  program.flag("--third", any, "Again").group("One");
  EXPECT_EQ(help_text(entry),
            "\n\nUsage: unroll [FLAGS]\n"
            "\n"
            "One:\n"
            "  --first                   " +
                std::string(90, 'x') +
                "\n"
                "                            and a second word\n"
                "  --third                   Again\n"
                "\n"
                "Two:\n"
                "  --with-a-name-of-many-letters\n"
                "                            Below\n"
                "\n"
                "Flags:\n"
                "  --last                    Without a heading\n"
                "\n"
                "The end\n");
}

}  // namespace
}  // namespace unroll::app
