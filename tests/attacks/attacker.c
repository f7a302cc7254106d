/* What an ordinary user can do around a login program that he starts.
 *
 *   attacker ATTACK [ARGUMENT ...] -- COMMAND [ARGUMENT ...]
 *
 * Runs COMMAND under the attack, and ends with it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char **command;

static void fail(const char *what)
{
    fprintf(stderr, "attacker: %s: %s\n", what, strerror(errno));
    exit(125);
}

static long number(const char *text)
{
    return strtol(text, NULL, 10);
}

static void wait_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&time, &time) && errno == EINTR)
        ;
}

static void run(void)
{
    execvp(command[0], command);
    fail(command[0]);
}

static pid_t start(void)
{
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0)
        run();
    return child;
}

static int ended(pid_t child, int *status)
{
    return waitpid(child, status, WNOHANG) == child;
}

static int finish(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* rhythm SIGNAL:MS,...: sends each signal and waits, from the start again at the end. */
static int rhythm(const char *steps)
{
    int status;
    pid_t child = start();
    for (const char *step = steps;; step = step && *step ? step : steps) {
        const char *colon = strchr(step, ':');
        if (!colon)
            fail("rhythm");
        kill(child, (int)number(step));
        for (long left = number(colon + 1); left > 0; left -= 5) {
            if (ended(child, &status))
                return finish(status);
            wait_ms(left < 5 ? left : 5);
        }
        step = strchr(step, ',');
        step = step ? step + 1 : NULL;
    }
}

/* jobs MS: as a shell with job control; what stops goes on after so long. */
static int jobs(long ms)
{
    int status;
    signal(SIGTTOU, SIG_IGN);
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        setpgid(0, 0);
        tcsetpgrp(0, getpid());
        signal(SIGTTOU, SIG_DFL);
        run();
    }
    setpgid(child, child);
    for (;;) {
        if (waitpid(child, &status, WUNTRACED) < 0)
            fail("waitpid");
        if (!WIFSTOPPED(status))
            return finish(status);
        tcsetpgrp(0, getpgrp());
        printf("stopped\n");
        fflush(stdout);
        wait_ms(ms);
        tcsetpgrp(0, child);
        kill(-child, SIGCONT);
    }
}

/* hangup MS: at a terminal that is gone after so long. */
static int hang_up(long ms)
{
    int status, terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
        fail("terminal");
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        setsid();
        int end = open(ptsname(terminal), O_RDWR);
        if (end < 0)
            fail("terminal");
        close(terminal);
        dup2(end, 0);
        dup2(end, 1);
        dup2(end, 2);
        run();
    }
    wait_ms(ms);
    close(terminal);
    waitpid(child, &status, 0);
    return finish(status);
}

static int hold_port(int family, int kind, int port)
{
    int one = 1, held = socket(family, kind, 0);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    if (held < 0)
        return 0;
    if (family == AF_INET)
        return bind(held, (struct sockaddr *)&v4, sizeof v4) == 0;
    setsockopt(held, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    return bind(held, (struct sockaddr *)&v6, sizeof v6) == 0;
}

/* ports tcp|udp|both FIRST LAST: binds them all. */
static int ports(const char *kinds, int first, int last)
{
    int held = 0, status;
    for (int port = first; port <= last; port++) {
        if (strcmp(kinds, "udp") != 0)
            held += hold_port(AF_INET, SOCK_STREAM, port) + hold_port(AF_INET6, SOCK_STREAM, port);
        if (strcmp(kinds, "tcp") != 0)
            held += hold_port(AF_INET, SOCK_DGRAM, port) + hold_port(AF_INET6, SOCK_DGRAM, port);
    }
    printf("held %d\n", held);
    fflush(stdout);
    waitpid(start(), &status, 0);
    return finish(status);
}

/* connections ADDRESS PORT: as many as there are ports for. */
static int connections(const char *address, int port)
{
    int held = 0, status;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &to.sin_addr);
    for (;; held++) {
        int connection = socket(AF_INET, SOCK_STREAM, 0);
        if (connection < 0 || connect(connection, (struct sockaddr *)&to, sizeof to))
            break;
    }
    printf("held %d\n", held);
    fflush(stdout);
    waitpid(start(), &status, 0);
    return finish(status);
}

static void write_to(const char *folder, const char *name, const char *text)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY);
    if (file < 0 || write(file, text, strlen(text)) < 0)
        fail(path);
    close(file);
}

/* The first thread, or the latest one; 0 before there are two. */
static long thread_of(pid_t process, int latest)
{
    char path[64];
    long found = 0;
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *threads = opendir(path);
    if (!threads)
        return 0;
    for (struct dirent *entry; (entry = readdir(threads));) {
        long id = number(entry->d_name);
        if (id <= 0)
            continue;
        count++;
        if (latest ? id != process : id == process)
            found = id;
    }
    closedir(threads);
    return count > 1 ? found : 0;
}

/* freeze CGROUP main|resolver MS: one thread of the command, as soon as it looks up a name. */
static int freeze(const char *group, const char *which, long ms)
{
    char child_group[4096], id[32];
    long thread = 0;
    int status;
    snprintf(child_group, sizeof child_group, "%s/frozen", group);
    if (mkdir(child_group, 0755) && errno != EEXIST)
        fail(child_group);
    write_to(child_group, "cgroup.type", "threaded");
    pid_t child = start();
    while (!(thread = thread_of(child, strcmp(which, "resolver") == 0))) {
        if (ended(child, &status))
            return finish(status);
        wait_ms(1);
    }
    snprintf(id, sizeof id, "%ld", thread);
    write_to(child_group, "cgroup.threads", id);
    write_to(child_group, "cgroup.freeze", "1");
    printf("frozen\n");
    fflush(stdout);
    wait_ms(ms);
    write_to(child_group, "cgroup.freeze", "0");
    waitpid(child, &status, 0);
    return finish(status);
}

/* relay ADDRESS PORT SOURCE: standard input and output through a port that is not ephemeral. */
static int relay(const char *address, int port, int source)
{
    int one = 1, far = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons((uint16_t)source)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, address, &to.sin_addr);
    setsockopt(far, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(far, (struct sockaddr *)&from, sizeof from) ||
        connect(far, (struct sockaddr *)&to, sizeof to))
        fail("relay");
    struct pollfd both[2] = {{.fd = 0, .events = POLLIN}, {.fd = far, .events = POLLIN}};
    for (;;) {
        char bytes[16384];
        poll(both, 2, -1);
        for (int i = 0; i < 2; i++) {
            if (!both[i].revents)
                continue;
            ssize_t length = read(both[i].fd, bytes, sizeof bytes);
            if (length <= 0 || write(i == 0 ? far : 1, bytes, (size_t)length) != length)
                return 0;
        }
    }
}

/* trace: a debugger that lets everything go on. */
static int trace(void)
{
    int status;
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        run();
    }
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        int pass = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        ptrace(PTRACE_CONT, child, NULL, (void *)(long)pass);
    }
    return finish(status);
}

/* busy COUNT: loops at the usual priority beside the command at the least. */
static int busy(int count)
{
    int status;
    pid_t loops[16];
    if (count > 16)
        count = 16;
    for (int i = 0; i < count; i++)
        if ((loops[i] = fork()) == 0)
            for (prctl(PR_SET_PDEATHSIG, SIGKILL);;)
                ;
    waitpid(start(), &status, 0);
    for (int i = 0; i < count; i++) {
        kill(loops[i], SIGKILL);
        waitpid(loops[i], NULL, 0);
    }
    return finish(status);
}

/* fill KEEP: every descriptor but so many is open. */
static void fill(long keep)
{
    struct rlimit limit = {64, 64};
    int last = -1;
    if (setrlimit(RLIMIT_NOFILE, &limit))
        fail("setrlimit");
    for (int next; (next = open("/dev/null", O_RDONLY)) >= 0;)
        last = next;
    for (; keep > 0; keep--)
        close(last--);
}

static void ignore_and_block(void)
{
    sigset_t all;
    for (int sign = 1; sign < 65; sign++)
        signal(sign, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

static void alarm_in(long ms)
{
    struct itimerval timer = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

int main(int argc, char **argv)
{
    const char *none = "";
    const char *given[4] = {none, none, none, none};
    int next = 2;
    if (argc < 2)
        return 2;
    for (; next < argc && strcmp(argv[next], "--") != 0; next++)
        if (next - 2 < 4)
            given[next - 2] = argv[next];
    command = argv + next + (next < argc);
    const char *attack = argv[1];
    if (strcmp(attack, "relay") == 0)
        return relay(given[0], (int)number(given[1]), (int)number(given[2]));
    if (!command[0])
        return 2;
    if (strcmp(attack, "rhythm") == 0)
        return rhythm(given[0]);
    if (strcmp(attack, "jobs") == 0)
        return jobs(number(given[0]));
    if (strcmp(attack, "hangup") == 0)
        return hang_up(number(given[0]));
    if (strcmp(attack, "ports") == 0)
        return ports(given[0], (int)number(given[1]), (int)number(given[2]));
    if (strcmp(attack, "connections") == 0)
        return connections(given[0], (int)number(given[1]));
    if (strcmp(attack, "freeze") == 0)
        return freeze(given[0], given[1], number(given[2]));
    if (strcmp(attack, "trace") == 0)
        return trace();
    if (strcmp(attack, "busy") == 0)
        return busy((int)number(given[0]));
    if (strcmp(attack, "fill") == 0)
        fill(number(given[0]));
    else if (strcmp(attack, "masked") == 0)
        ignore_and_block();
    else if (strcmp(attack, "alarm") == 0)
        alarm_in(number(given[0]));
    else if (strcmp(attack, "slack") == 0)
        prctl(PR_SET_TIMERSLACK, strtoul(given[0], NULL, 10));
    else
        return 2;
    run();
}
