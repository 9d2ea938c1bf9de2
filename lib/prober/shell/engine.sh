# The prober for hosts without python: any POSIX sh with busybox's nc (stock Alpine). The parts of this folder are one program,
# put together in the order of program.ts. What it is told and what it says stands in ../README.md. First, who it is:
# 
# Processes: this shell > engine, leader of a group of its own that dies as one > a reader of stdin, and per command a
# look > per try nc, where nc's scan mode is enough; else > a pace maker > per try nc and a `tell` that reads what it
# says. They talk over pipes that need no name: a shell opens the pipe that is its stdin for writing as well
# (`exec 5<>/proc/self/fd/0`) and lets its children have it.
if [ "$0" != flowproof-engine ]; then
  exec 3<&0
  p=$p setsid sh -c 'eval "$p"' flowproof-engine <&3 3<&- &
  exec 3<&- 2>/dev/null # where bash would say that the engine was killed
  trap 'kill -9 -$!; exit 143' HUP INT TERM
  wait
  exit 0
fi

unset p
set -f
read -r _ shell _ </proc/self/stat # its name in brackets
LC_ALL=C
PATH=$PATH:/usr/bin:/bin:/usr/sbin:/sbin
# Processes at once: one is 0.13 MB with what the kernel keeps of it, and half of the free memory is ours to take. A silent
# look with two tries is seven of them, or three where scan mode is enough; 1280 (160 MB) are more than a small machine can start
# in the time that they are silent. In a sweep they are silent for four times as long.
while read -r name free _; do [ "$name" != MemAvailable: ] || break; done </proc/meminfo
fit=$((free / 2 / 130))
[ $fit -gt 80 ] || fit=80
# Nor more than this user may have: half of its processes, and for looks one for each descriptor. By the kernel's word: shells name these limits differently.
files=$fit
while read -r _ what soft more _; do
  case $what-$soft in
    processes-*[0-9]) [ $fit -le $((soft / 2)) ] || fit=$((soft / 2)) ;;
    open-files) case $more in *[!0-9]*) ;; *) files=$more ;; esac ;;
  esac
done 2>/dev/null </proc/self/limits
least() { # numbers -> least; but one in any case
  least=$1
  for one; do [ $least -le $one ] || least=$one; done
  [ $least -gt 0 ] || least=1
}
least 1280 $fit $files; room=$least
least 5120 $fit; sweepers=$least

# In hex digits: a line must fit into PIPE_BUF (4096), lest another's line fall into it. 119 lines of nc's dump.
longest_hex=3808

# Whether this shell's `read` has a time limit (busybox and bash: yes, dash: no): then a look can wait by itself.
knocks=
read -r -t 0.01 line </dev/null 2>/dev/null
[ $? != 1 ] || knocks=yes
# Those shells can also stop in mid-line. They read a byte at a time, and of a line of /proc/PID/stat the first words are enough: a number,
# a name of 15 characters at most in brackets, a letter.
brief=
[ -z "$knocks" ] || brief='-n 28'

# Whether a here-document is a pipe in this shell (busybox, dash, bash from 5.1 on): a pipe that costs no process.
here=
is_pipe() { [ -p /proc/self/fd/0 ]; }
is_pipe <<. && here=yes

.

say() { echo "$*"; } # not printf: busybox's writes a long line in pieces

now() { # -> now: milliseconds, to 10
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}0
}

hexed() { od -An -v -tx1 | tr -d ' \n'; }
