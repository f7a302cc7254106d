/* A program that asks PAM, as login programs do, under conditions that they may be in.
 *
 *   host [options] SERVICE USER ANSWER
 *
 * Every question gets ANSWER. Prints to the file of -o: one line "CODE COUNT" for each PAM code
 * that logins ended with, then "fds", "threads", "heap" (bytes in use) and "changed" (what the
 * module left behind in the process) as they were after the first tenth and after the last login,
 * and what it cost.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *service, *user, *answer;
static int logins = 1;
static int hold_before_end, hold_after_end;
static atomic_int codes[64];
static const char *hold_file;

static int converse(int count, const struct pam_message **messages,
                    struct pam_response **responses, void *data)
{
    (void)data;
    struct pam_response *all = calloc((size_t)count, sizeof *all);
    if (!all)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++)
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_ON ||
            messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
            all[i].resp = strdup(answer);
    *responses = all;
    return PAM_SUCCESS;
}

/* Says in hold_file where it stands, and waits until that file is gone. */
static void hold(const char *where)
{
    FILE *file = fopen(hold_file, "w");
    if (!file)
        abort();
    fprintf(file, "%d %s\n", getpid(), where);
    fclose(file);
    while (access(hold_file, F_OK) == 0)
        usleep(10000);
}

static int login_once(void)
{
    struct pam_conv conversation = {converse, NULL};
    pam_handle_t *handle = NULL;
    int code = pam_start(service, user, &conversation, &handle);
    if (code != PAM_SUCCESS)
        return code;
    pam_set_item(handle, PAM_RHOST, "203.0.113.5");
    code = pam_authenticate(handle, 0);
    if (hold_before_end)
        hold("before-end");
    pam_end(handle, code);
    return code;
}

static void *login_many(void *unused)
{
    for (int i = 0; i < logins; i++)
        atomic_fetch_add(&codes[login_once() & 63], 1);
    return unused;
}

static int entries(const char *path)
{
    int count = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return -1;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 2;
}

/* What a module must leave as it was. */
struct state {
    struct sigaction actions[65];
    sigset_t mask;
    char **environ_at;
    char *first_variable;
    mode_t umask;
    char folder[4096];
};

static void look(struct state *state)
{
    memset(state, 0, sizeof *state);
    for (int signal = 1; signal < 65; signal++)
        sigaction(signal, NULL, &state->actions[signal]);
    pthread_sigmask(SIG_SETMASK, NULL, &state->mask);
    state->environ_at = environ;
    state->first_variable = environ ? environ[0] : NULL;
    state->umask = umask(0);
    umask(state->umask);
    if (!getcwd(state->folder, sizeof state->folder))
        abort();
}

static int changes(const struct state *before)
{
    struct state now;
    int count = 0;
    look(&now);
    for (int signal = 1; signal < 65; signal++)
        count += now.actions[signal].sa_handler != before->actions[signal].sa_handler ||
                 now.actions[signal].sa_flags != before->actions[signal].sa_flags;
    for (int signal = 1; signal < 65; signal++)
        count += sigismember(&now.mask, signal) != sigismember(&before->mask, signal);
    count += now.environ_at != before->environ_at || now.first_variable != before->first_variable;
    count += now.umask != before->umask || strcmp(now.folder, before->folder) != 0;
    return count;
}

static void report(FILE *out, const struct state *before)
{
    fprintf(out, "fds %d\nthreads %d\nheap %zu\nchanged %d\n", entries("/proc/self/fd"),
            entries("/proc/self/task"), mallinfo2().uordblks, changes(before));
}

static long microseconds(struct timeval time)
{
    return time.tv_sec * 1000000L + time.tv_usec;
}

/* What it cost: wall and processor time in microseconds, peak memory in KiB. */
static void cost(FILE *out, const struct timespec *start)
{
    struct timespec now;
    struct rusage use;
    clock_gettime(CLOCK_MONOTONIC, &now);
    getrusage(RUSAGE_SELF, &use);
    fprintf(out, "wall %ld\n",
            (now.tv_sec - start->tv_sec) * 1000000L + (now.tv_nsec - start->tv_nsec) / 1000);
    fprintf(out, "cpu %ld\n", microseconds(use.ru_utime) + microseconds(use.ru_stime));
    fprintf(out, "peak %ld\n", use.ru_maxrss);
}

static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
    int threads = 0, forks = 0, close_standard = 0, descriptors = 0, linger = 0, option;
    long processes = -1, uid = -1, files = -1;
    size_t stack = 0;
    FILE *out = stdout;
    while ((option = getopt(argc, argv, "n:t:s:f:F:cd:p:u:o:l:h:ba")) != -1) {
        switch (option) {
        case 'n': logins = number(optarg); break;          /* logins in a row */
        case 't': threads = number(optarg); break;         /* threads at once */
        case 's': stack = (size_t)number(optarg); break;   /* their stacks, bytes */
        case 'F': forks = number(optarg); break;           /* processes at once */
        case 'c': close_standard = 1; break;               /* no standard streams */
        case 'd': descriptors = number(optarg); break;     /* open ones */
        case 'f': files = number(optarg); break;           /* RLIMIT_NOFILE */
        case 'p': processes = number(optarg); break;       /* RLIMIT_NPROC */
        case 'u': uid = number(optarg); break;             /* run as */
        case 'l': linger = number(optarg); break;          /* seconds, after the last */
        case 'h': hold_file = optarg; break;
        case 'b': hold_before_end = 1; break;              /* wait before pam_end */
        case 'a': hold_after_end = 1; break;               /* wait after it */
        case 'o':
            out = fopen(optarg, "we");
            if (!out)
                return 2;
            break;
        default: return 2;
        }
    }
    if (argc - optind != 3)
        return 2;
    service = argv[optind];
    user = argv[optind + 1];
    answer = argv[optind + 2];

    if (uid >= 0 && (setgid((gid_t)uid) || setuid((uid_t)uid)))
        return 3;
    if (processes >= 0) {
        struct rlimit limit = {(rlim_t)processes, (rlim_t)processes};
        pthread_t refused;
        if (setrlimit(RLIMIT_NPROC, &limit))
            return 3;
        if (pthread_create(&refused, NULL, login_many, NULL) == 0)
            return 4; /* the limit does not bind */
    }
    if (descriptors > 0) {
        struct rlimit limit = {(rlim_t)descriptors + 200, (rlim_t)descriptors + 200};
        if (setrlimit(RLIMIT_NOFILE, &limit))
            return 3;
        while (entries("/proc/self/fd") < descriptors)
            for (int i = 0; i < 100; i++)
                if (open("/dev/null", O_RDONLY) < 0)
                    return 3;
    }
    if (files >= 0) {
        struct rlimit limit = {(rlim_t)files, (rlim_t)files};
        if (setrlimit(RLIMIT_NOFILE, &limit))
            return 3;
    }
    if (close_standard) {
        close(0);
        close(1);
        close(2);
    }

    struct state before;
    struct timespec start;
    look(&before);
    clock_gettime(CLOCK_MONOTONIC, &start);
    int repeat = logins;
    if (forks > 0) {
        for (int i = 0; i < forks; i++) {
            pid_t child = fork();
            if (child < 0)
                return 3;
            if (child == 0)
                _exit(login_once() & 63);
        }
        int status;
        while (wait(&status) > 0)
            atomic_fetch_add(&codes[WIFEXITED(status) ? WEXITSTATUS(status) : 63], 1);
    } else if (threads > 0) {
        pthread_attr_t attributes;
        pthread_t *ids = calloc((size_t)threads, sizeof *ids);
        pthread_attr_init(&attributes);
        if (stack > 0 && pthread_attr_setstacksize(&attributes, stack))
            return 3;
        /* Once before, so that what is made once is there. */
        atomic_fetch_add(&codes[login_once() & 63], 1);
        report(out, &before);
        for (int i = 0; i < threads; i++)
            if (pthread_create(&ids[i], &attributes, login_many, NULL))
                return 3;
        for (int i = 0; i < threads; i++)
            pthread_join(ids[i], NULL);
        free(ids);
    } else {
        logins = repeat / 10 > 0 ? repeat / 10 : 1;
        login_many(NULL);
        report(out, &before);
        logins = repeat - logins;
        login_many(NULL);
    }
    cost(out, &start);
    report(out, &before);
    for (int code = 0; code < 64; code++)
        if (codes[code])
            fprintf(out, "code %d %d\n", code, codes[code]);
    if (hold_after_end)
        hold("after-end");
    if (linger > 0) {
        sleep((unsigned)linger);
        fprintf(out, "lingered\n");
        report(out, &before);
    }
    return fclose(out) ? 5 : 0;
}
