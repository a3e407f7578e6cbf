# Every class and function of the public headers is marked UNROLL_API, or a program that is linked
# with a shared library could not call it. Declarations of namespaces begin in the first column.

function breach() {
  print FILENAME ":" FNR ": without UNROLL_API: " $0
  breaches++
}

FNR == 1 { template = 0 }
/^template/ { template = FNR }
/^class [A-Za-z_0-9]+( final)?( :.*)? *\{/ { breach() }
# A function: its name and a parenthesis, in this line or, with a long return type, the next. A
# template's body is compiled where it is called.
!(FNR == template + 1 && /\{$/) && /^[A-Za-z_:]/ && !/^(UNROLL_API|class|struct|enum|union|using|namespace|template|inline|constexpr|static|extern|friend|typedef|public|private|protected|\})/ && /[A-Za-z_0-9]\(/ { breach() }

END { exit(breaches > 0 || NR == 0) }
