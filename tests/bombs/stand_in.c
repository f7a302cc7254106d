/* Stands in for a program that asks PAM and does what well-behaved ones do not.
 *
 *   stand_in [options] SERVICE USER ANSWER
 *
 * Every question gets ANSWER, as from a program that cannot ask. Prints each message and question,
 * and "code N" for each pam_authenticate.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <security/pam_appl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int kill_with, deny_pairs, again;
static size_t largest = (size_t)-1;
static const char *answer, *kill_at;

static int converse(int count, const struct pam_message **messages,
                    struct pam_response **responses, void *data)
{
    (void)data;
    struct pam_response *all = calloc((size_t)count, sizeof *all);
    if (!all)
        return PAM_BUF_ERR;
    for (int i = 0; i < count; i++) {
        printf("%s\n", messages[i]->msg);
        fflush(stdout);
        int asks = messages[i]->msg_style == PAM_PROMPT_ECHO_ON ||
                   messages[i]->msg_style == PAM_PROMPT_ECHO_OFF;
        /* As sudo-rs on Ctrl-C: it dies where it is. */
        if (kill_with && (kill_at ? strstr(messages[i]->msg, kill_at) != NULL : !asks))
            kill(getpid(), kill_with);
        if (asks)
            all[i].resp = strdup(answer);
    }
    *responses = all;
    return PAM_SUCCESS;
}

/* Instead of libc's, for the module as well (-rdynamic): a socket that takes no more than -m, and,
 * as SELinux in the domains of login programs, none that sends datagrams to itself (-d). */
static int is_unix(int fd, int peer)
{
    struct sockaddr_un name = {0};
    socklen_t length = sizeof name;
    if ((peer ? getpeername : getsockname)(fd, (struct sockaddr *)&name, &length))
        return 0;
    /* 2: it has a name. */
    return name.sun_family != AF_UNIX ? 0 : length > sizeof name.sun_family ? 2 : 1;
}

static int is_refused(int fd, size_t length)
{
    int type = 0;
    socklen_t size = sizeof type;
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    if (!is_unix(fd, 0) || type != SOCK_DGRAM)
        return 0;
    if (length > largest)
        errno = EMSGSIZE;
    else if (deny_pairs && is_unix(fd, 1) == 1)
        errno = EACCES;
    else
        return 0;
    return 1;
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
               socklen_t to_length)
{
    if (is_refused(fd, length))
        return -1;
    return syscall(SYS_sendto, fd, data, length, flags, to, to_length);
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    return sendto(fd, data, length, flags, NULL, 0);
}

ssize_t write(int fd, const void *data, size_t length)
{
    if (is_refused(fd, length))
        return -1;
    return syscall(SYS_write, fd, data, length);
}

static int authenticate(pam_handle_t *handle)
{
    int code = pam_authenticate(handle, 0);
    printf("code %d\n", code);
    fflush(stdout);
    return code;
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "k:t:m:da:")) != -1) {
        switch (option) {
        case 'k': kill_with = atoi(optarg); break;       /* signal, at the first message */
        case 't': kill_at = optarg; break;               /* or where this is said or asked */
        case 'm': largest = (size_t)atoi(optarg); break; /* bytes of a datagram */
        case 'd': deny_pairs = 1; break;
        case 'a': again = atoi(optarg); break;           /* forks that ask again, as sshd's */
        default: return 2;
        }
    }
    if (argc - optind != 3)
        return 2;
    answer = argv[optind + 2];
    struct pam_conv conversation = {converse, NULL};
    pam_handle_t *handle = NULL;
    int code = pam_start(argv[optind], argv[optind + 1], &conversation, &handle);
    if (code != PAM_SUCCESS)
        return 3;
    pam_set_item(handle, PAM_RHOST, "203.0.113.5");
    code = authenticate(handle);
    for (int i = 0; i < again; i++) {
        pid_t child = fork();
        if (child < 0)
            return 3;
        if (child == 0)
            _exit(authenticate(handle));
        waitpid(child, NULL, 0);
    }
    pam_end(handle, code);
    return 0;
}
