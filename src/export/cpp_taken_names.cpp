// The names that the namespace of an exported header can't have. The namespace is in the global
// scope, together with the names of all other headers that a program includes.
#include <algorithm>
#include <iterator>
#include <string_view>

#include "export/cpp_header.h"

namespace unroll::exporter {
namespace {

// Each list consists of words between blanks. is_cpp_name refuses names that begin with an
// underscore or have two in a row.

// Keywords of C++17, C++20, C++26 and the GNU dialect, which is g++'s default.
constexpr std::string_view kKeywords =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t "
    "char32_t "
    "char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr "
    "constinit continue contract_assert decltype default delete do double dynamic_cast else enum "
    "explicit export extern false float for friend goto if inline int long mutable namespace new "
    "noexcept not not_eq nullptr operator or or_eq private protected public register "
    "reinterpret_cast requires return short signed sizeof static static_assert static_cast struct "
    "switch template this thread_local throw true try typedef typeid typename typeof union "
    "unsigned "
    "using virtual void volatile wchar_t while xor xor_eq ";

// Macros of compilers and of <stddef.h>, <stdint.h> and <string.h>, and of other headers of C.
constexpr std::string_view kMacros =
    " NULL offsetof linux unix i386 sun sparc mips hpux sgi WIN32 WIN64 WINNT strdupa strndupa "
    "SIZE_MAX SIZE_WIDTH PTRDIFF_MAX PTRDIFF_MIN PTRDIFF_WIDTH SIG_ATOMIC_MAX SIG_ATOMIC_MIN "
    "SIG_ATOMIC_WIDTH WCHAR_MAX WCHAR_MIN WCHAR_WIDTH WINT_MAX WINT_MIN WINT_WIDTH "
    "assert errno EDOM EILSEQ ERANGE EOF BUFSIZ FILENAME_MAX FOPEN_MAX L_tmpnam SEEK_CUR SEEK_END "
    "SEEK_SET TMP_MAX stdin stdout stderr EXIT_FAILURE EXIT_SUCCESS MB_CUR_MAX MB_LEN_MAX RAND_MAX "
    "CHAR_BIT CHAR_MAX CHAR_MIN SCHAR_MAX SCHAR_MIN UCHAR_MAX SHRT_MAX SHRT_MIN USHRT_MAX LONG_MAX "
    "LONG_MIN ULONG_MAX LLONG_MAX LLONG_MIN ULLONG_MAX HUGE_VAL HUGE_VALF HUGE_VALL INFINITY NAN "
    "MATH_ERRNO MATH_ERREXCEPT math_errhandling FP_INFINITE FP_NAN FP_NORMAL FP_SUBNORMAL FP_ZERO "
    "M_E M_LN10 M_LN2 M_LOG10E M_LOG2E M_PI M_SQRT2 M_SQRT1_2 CLOCKS_PER_SEC TIME_UTC SIGABRT "
    "SIGFPE "
    "SIGILL SIGINT SIGSEGV SIGTERM SIG_DFL SIG_ERR SIG_IGN LC_ALL LC_COLLATE LC_CTYPE LC_MONETARY "
    "LC_NUMERIC LC_TIME va_arg va_copy va_end va_start complex imaginary I major minor makedev "
    "alloca ";

// Functions of <string.h>, including those of POSIX and GNU.
constexpr std::string_view kStrings =
    " memchr memcmp memcpy memmove memset strcat strchr strcmp strcoll strcpy strcspn strerror "
    "strlen "
    "strncat strncmp strncpy strpbrk strrchr strspn strstr strtok strxfrm basename bcmp bcopy "
    "bzero "
    "explicit_bzero ffs ffsl ffsll index memccpy memfrob memmem mempcpy memrchr rawmemchr rindex "
    "sigabbrev_np sigdescr_np stpcpy stpncpy strcasecmp strcasecmp_l strcasestr strchrnul "
    "strcoll_l "
    "strdup strerror_l strerror_r strerrordesc_np strerrorname_np strfry strlcat strlcpy "
    "strncasecmp "
    "strncasecmp_l strndup strnlen strsep strsignal strtok_r strverscmp strxfrm_l memset_explicit "
    "timingsafe_bcmp timingsafe_memcmp strnstr strmode strrev strupr strlwr stricmp strnicmp "
    "strcmpi swab ";

// The other functions, types and objects of the C library in the global scope of C++ programs, and
// common ones of POSIX.
constexpr std::string_view kLibrary =
    " main std posix FILE abort abs accept access acct aligned_alloc alarm asctime at_quick_exit "
    "atexit atof atoi atol atoll bind brk bsearch btowc c16rtomb c32rtomb c8rtomb calloc chdir "
    "chmod "
    "chown clearerr clock close connect creat ctime daemon daylight difftime div dprintf drand48 "
    "dup "
    "dup2 environ exit execl execv execve execvp fchdir fchmod fclose fdopen feclearexcept "
    "fegetenv "
    "fegetexceptflag fegetround feholdexcept feof feraiseexcept ferror fesetenv fesetexceptflag "
    "fesetround fetestexcept feupdateenv fflush fgetc fgetpos fgets fgetwc fgetws fileno fopen "
    "fork "
    "fpclassify fprintf fputc fputs fputwc fputws fread free freopen fscanf fseek fseeko fsetpos "
    "fstat fsync ftell ftello ftruncate fwide fwprintf fwrite fwscanf getc getchar getcwd getdelim "
    "getenv getgid gethostname getline getopt getpid getppid gets getsubopt getuid getwc getwchar "
    "gmtime imaxabs imaxdiv initstate ioctl isalnum isalpha isascii isatty isblank iscntrl isctype "
    "isdigit isfinite isgraph isgreater isgreaterequal isinf isless islessequal islessgreater "
    "islower "
    "isnan isnormal isprint ispunct isspace isunordered isupper iswalnum iswalpha iswblank "
    "iswcntrl "
    "iswctype iswdigit iswgraph iswlower iswprint iswpunct iswspace iswupper iswxdigit isxdigit "
    "jmp_buf jrand48 kill killpg labs lconv ldiv link listen llabs lldiv localeconv localtime "
    "lockf "
    "longjmp lrand48 lseek malloc mblen mbrlen mbrtoc16 mbrtoc32 mbrtoc8 mbrtowc mbsinit mbsrtowcs "
    "mbstowcs mbtowc mkdir mkdtemp mkfifo mknod mkstemp mktemp mktime mmap mprotect munmap "
    "nanosleep "
    "nice on_exit open optarg opterr optind optopt pause pclose perror pipe poll popen printf "
    "profil "
    "psignal putc putchar putenv puts putwc putwchar pwrite pread qsort quick_exit raise rand "
    "random "
    "read readlink realloc realpath recv remove rename rewind rmdir sbrk scanf select send setbuf "
    "setenv setjmp setlocale setstate setvbuf shutdown sigaction siginfo siglongjmp signal signbit "
    "signgam sigset sigstack sigval sigwait sleep snprintf socket sprintf srand srand48 srandom "
    "sscanf stat strftime strptime strtod strtof strtoimax strtol strtold strtoll strtoul strtoull "
    "strtoumax swprintf swscanf symlink sync syscall sysconf system tempnam time timegm timespec "
    "timespec_get timeval timezone tm tmpfile tmpnam toascii tolower toupper towctrans towlower "
    "towupper truncate tzname tzset ualarm umask uname ungetc ungetwc unlink unsetenv usleep utime "
    "va_list vfork vfprintf vfscanf vfwprintf vfwscanf vprintf vscanf vsnprintf vsprintf vsscanf "
    "vswprintf vswscanf vwprintf vwscanf wait waitpid wcrtomb wcscat wcschr wcscmp wcscoll wcscpy "
    "wcscspn wcsdup wcsftime wcslen wcsncat wcsncmp wcsncpy wcsnlen wcspbrk wcsrchr wcsrtombs "
    "wcsspn "
    "wcsstr wcstod wcstof wcstoimax wcstok wcstol wcstold wcstoll wcstombs wcstoul wcstoull "
    "wcstoumax "
    "wcsxfrm wctob wctomb wctrans wctype wmemchr wmemcmp wmemcpy wmemmove wmemset wprintf write "
    "wscanf a64l l64a valloc getw putw fcvt ecvt gcvt cuserid ctermid wcpcpy wcwidth wcswidth "
    "sigpause "
    "sighold sigmask sigblock uint ulong ushort u_char u_int u_long u_short ";

// Functions of <math.h>. Each also exists with f or l at its end.
constexpr std::string_view kMath =
    " acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp exp10 "
    "exp2 "
    "expm1 fabs fdim finite floor fma fmax fmaxmag fmin fminmag fmod frexp gamma hypot ilogb j0 j1 "
    "jn "
    "ldexp lgamma llogb llrint llround log log10 log1p log2 logb lrint lround modf nan nearbyint "
    "nextafter nextdown nexttoward nextup pow pow10 remainder remquo rint round roundeven scalb "
    "scalbln scalbn significand sin sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn ";

// Further names in these headers of newlib and mingw-w64.
constexpr std::string_view kNewlibAndMingw =
    " HAVE_INITFINI_ARRAY LC_ID LPLC_ID MINGW_HAS_DDK_H MINGW_HAS_SECURE_API fls flsl flsll "
    "localeinfo_struct memcpy_s memicmp memmove_s pthreadlocinfo pthreadmbcinfo strcat_s "
    "strcpy_s strerror_s strlwr_l strncat_s strncpy_s strnlen_s strnset strset strtok_s "
    "tagLC_ID threadlocaleinfostruct threadlocinfo threadmbcinfostruct wcscat_s wcscpy_s "
    "wcsicmp wcsicoll wcslwr wcsncat_s wcsncpy_s wcsnicmp wcsnlen_s wcsnset wcsrev wcsset "
    "wcsstr wcstok_s wcsupr wcswcs ";

bool has(std::string_view words, std::string_view name) {
  for (std::size_t at = words.find(name); at != std::string_view::npos;
       at = words.find(name, at + 1))
    if (words[at - 1] == ' ' && words[at + name.size()] == ' ') return true;
  return false;
}

/// INT8_MAX, UINT_FAST16_WIDTH, INTMAX_C: the names that <stdint.h> may define.
bool is_limit_of_stdint(std::string_view name) {
  constexpr std::string_view ends[] = {"_MAX", "_MIN", "_WIDTH", "_C"};
  return (name.starts_with("INT") || name.starts_with("UINT")) &&
         std::ranges::any_of(ends, [&](std::string_view end) { return name.ends_with(end); });
}

}  // namespace

bool is_taken_cpp_name(std::string_view name) {
  if (name.empty()) return false;
  for (const std::string_view words :
       {kKeywords, kMacros, kStrings, kLibrary, kNewlibAndMingw, kMath})
    if (has(words, name)) return true;
  if ((name.back() == 'f' || name.back() == 'l') && has(kMath, name.substr(0, name.size() - 1)))
    return true;
  // C++ reserves std with digits behind it, POSIX reserves names that end in _t.
  const bool is_std =
      name.starts_with("std") && name.find_first_not_of("0123456789", 3) == std::string_view::npos;
  return is_std || name.ends_with("_t") || is_limit_of_stdint(name);
}

}  // namespace unroll::exporter
