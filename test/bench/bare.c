/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bare.c - the floor: a process with the same libraries and nothing in it.
 *
 * bare URL CAFILE: one HTTPS request on libuv and libcurl's multi interface,
 * so that the CA bundle and a connection are in memory; then "ready" and a
 * loop that waits for SIGTERM.
 */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <uv.h>

static size_t swallow(char *p, size_t size, size_t n, void *arg)
{
    (void)p;
    (void)arg;
    return size * n;
}

static int fetch(CURLM *multi, const char *url, const char *ca)
{
    CURL *easy = curl_easy_init();
    int running = 1;

    if (!easy)
        return 1;
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 10000L);
    curl_multi_add_handle(multi, easy);
    while (running && curl_multi_perform(multi, &running) == CURLM_OK)
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
    return 0;
}

static void on_signal(uv_signal_t *handle, int signum)
{
    (void)signum;
    uv_stop(handle->loop);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_signal_t term;
    CURLM *multi;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: bare URL CAFILE\n");
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    if (!multi || fetch(multi, argv[1], argv[2]))
        return 1;
    uv_signal_init(loop, &term);
    uv_signal_start(&term, on_signal, SIGTERM);
    (void)puts("ready");
    (void)fflush(stdout);
    uv_run(loop, UV_RUN_DEFAULT);
    curl_multi_cleanup(multi);
    curl_global_cleanup();
    return 0;
}
