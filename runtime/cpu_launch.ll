; A launch on the CPU that Python has no part in: a function of Python's C interface that reads the
; arguments where they are, packs them, and calls the kernel, alone or with workers. cpu_launch.py
; has the other half, and says which launches can be made so; most structs are in cpu_arguments.ll.
;
; Gives None for a launch that is done; True for one that has something to report, whose memory is
; the caller's until 0 is put into `busy`; and False for one that is left to Python: other kinds of
; arguments, memory in use by another thread, and work of unknown size, or of so long that somebody
; has to listen for interrupts meanwhile.

; as in cpu_pool.ll
%Job = type { ptr, ptr, ptr, ptr, i64, i64, i64, i64, i64, ptr, i64, i64, i64 }

@_Py_NoneStruct = external global i8
@_Py_TrueStruct = external global i8
@_Py_FalseStruct = external global i8
declare ptr @PyLong_AsVoidPtr(ptr)
declare void @Py_IncRef(ptr)
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
declare i64 @llvm.smax.i64(i64, i64)
declare i32 @clock_gettime(i32, ptr)

define ptr @stepwell_launch(ptr %self, ptr %args, i64 %count) nounwind {
begin:
  %site = call ptr @PyLong_AsVoidPtr(ptr %self)
  %wanted.at = getelementptr %Site, ptr %site, i32 0, i32 9
  %wanted = load i64, ptr %wanted.at
  %fits = icmp eq i64 %wanted, %count
  br i1 %fits, label %take, label %leave

take:                                             ; the memory is of one launch at a time
  %busy = getelementptr %Site, ptr %site, i32 0, i32 8
  %before = atomicrmw xchg ptr %busy, i64 1 acquire
  %free = icmp eq i64 %before, 0
  br i1 %free, label %pack, label %leave

pack:
  %packed = call i1 @pack_all(ptr %site, ptr %args)
  br i1 %packed, label %run, label %give.up

run:
  %outcome = call i64 @run(ptr %site)
  switch i64 %outcome, label %give.up [ i64 0, label %done
                                        i64 1, label %told ]

done:
  store atomic i64 0, ptr %busy release, align 8
  br label %answer

told:
  br label %answer

give.up:
  store atomic i64 0, ptr %busy release, align 8
  br label %leave

leave:
  br label %answer

answer:
  %result = phi ptr [ @_Py_NoneStruct, %done ], [ @_Py_TrueStruct, %told ], [ @_Py_FalseStruct, %leave ]
  call void @Py_IncRef(ptr %result)
  ret ptr %result
}

; --- the launch: 0 done, 1 something to report, 2 not launched ------------------------------------

define private i64 @run(ptr %site) nounwind {
begin:
  %common = load ptr, ptr %site
  %cost.at.at = getelementptr %Site, ptr %site, i32 0, i32 6
  %cost.at = load ptr, ptr %cost.at.at
  %cost = load double, ptr %cost.at
  %blocks.at = getelementptr %Site, ptr %site, i32 0, i32 11
  %blocks = load i64, ptr %blocks.at
  %blocks.float = sitofp i64 %blocks to double
  %work = fmul double %cost, %blocks.float
  %known = fcmp ogt double %cost, 0.0
  %short = fcmp olt double %work, 1.0e6
  %ours = and i1 %known, %short
  br i1 %ours, label %start, label %not

not:
  ret i64 2

start:
  %record.at = getelementptr %Site, ptr %site, i32 0, i32 3
  %record = load ptr, ptr %record.at
  %packed.at = getelementptr %Site, ptr %site, i32 0, i32 2
  %packed = load ptr, ptr %packed.at
  %entry.at = getelementptr %Site, ptr %site, i32 0, i32 4
  %entry = load ptr, ptr %entry.at
  %began = call i64 @now(ptr %common)
  %helpers.at = getelementptr %Site, ptr %site, i32 0, i32 12
  %helpers = load i64, ptr %helpers.at
  %many = icmp sgt i64 %helpers, 0
  %long = fcmp oge double %work, 3.0e3
  %worth = and i1 %many, %long
  br i1 %worth, label %choose, label %alone

choose:                                           ; up to 25 us of work whatever is quicker; of 1024
  %surely = fcmp oge double %work, 2.5e4          ; launches 4 alone, or 32 with workers, to see
  br i1 %surely, label %ask, label %compare

compare:
  %phase.at = getelementptr %Site, ptr %site, i32 0, i32 14
  %phase.before = load i64, ptr %phase.at
  %phase.next = add i64 %phase.before, 1
  %phase = and i64 %phase.next, 1023
  store i64 %phase, ptr %phase.at
  %times = getelementptr %Site, ptr %site, i32 0, i32 13
  %alone.ns = load double, ptr %times
  %shared.at = getelementptr double, ptr %times, i64 1
  %shared.ns = load double, ptr %shared.at
  %better = fcmp olt double %shared.ns, %alone.ns
  %for = select i1 %better, i64 4, i64 32         ; workers may have to wake up first
  %tries = icmp ult i64 %phase, %for
  %together.now = xor i1 %better, %tries
  br i1 %together.now, label %ask, label %alone

ask:                                              ; are there workers?
  %ask.phase = phi i64 [ 0, %choose ], [ %phase, %compare ]
  %workers.at = getelementptr %Common, ptr %common, i32 0, i32 4
  %workers = load ptr, ptr %workers.at
  %pool = load ptr, ptr %workers
  %no.pool = icmp eq ptr %pool, null
  %very.long = fcmp oge double %work, 2.5e4
  br i1 %no.pool, label %without, label %shared

without:                                          ; Python starts them
  br i1 %very.long, label %not, label %alone

alone:
  %alone.phase = phi i64 [ 0, %start ], [ %phase, %compare ], [ 0, %without ]
  call void @cut(ptr %record, i64 %blocks, i64 1, i64 1)
  %brief = fcmp olt double %work, 5.0e3
  br i1 %brief, label %hold, label %release

hold:                                             ; others wait so long for Python's lock anyway
  %held = call i32 %entry(ptr %packed, ptr %record)
  br label %measure

release:
  %state = call ptr @PyEval_SaveThread()
  %released = call i32 %entry(ptr %packed, ptr %record)
  call void @PyEval_RestoreThread(ptr %state)
  br label %measure

shared:
  %useful.float = fdiv double %work, 2.0e3
  %useful = fptosi double %useful.float to i64
  %fewer = icmp slt i64 %useful, %helpers
  %wanted = select i1 %fewer, i64 %useful, i64 %helpers
  %threads.at.most = add i64 %wanted, 1
  call void @cut(ptr %record, i64 %blocks, i64 %threads.at.most, i64 8)
  %job.at = getelementptr %Site, ptr %site, i32 0, i32 7
  %job = load ptr, ptr %job.at
  %job.entry = getelementptr %Job, ptr %job, i32 0, i32 1
  store ptr %entry, ptr %job.entry
  %job.packed = getelementptr %Job, ptr %job, i32 0, i32 2
  store ptr %packed, ptr %job.packed
  %job.launch = getelementptr %Job, ptr %job, i32 0, i32 3
  store ptr %record, ptr %job.launch
  %job.records = getelementptr %Job, ptr %job, i32 0, i32 10
  store i64 %threads.at.most, ptr %job.records
  %job.places = getelementptr %Job, ptr %job, i32 0, i32 4
  store i64 %wanted, ptr %job.places
  %job.helpers = getelementptr %Job, ptr %job, i32 0, i32 6
  store i64 0, ptr %job.helpers
  %job.kept = getelementptr %Job, ptr %job, i32 0, i32 12
  %is.brief = fcmp olt double %work, 1.0e5
  %kept = select i1 %is.brief, i64 2, i64 0       ; of the 8 that a record is cut into
  store i64 %kept, ptr %job.kept
  %job.failed = getelementptr %Job, ptr %job, i32 0, i32 7
  store i64 0, ptr %job.failed
  %job.sleeps = getelementptr %Job, ptr %job, i32 0, i32 8
  store i64 0, ptr %job.sleeps
  %shared.state = call ptr @PyEval_SaveThread()
  %hand.at = getelementptr %Workers, ptr %workers, i32 0, i32 1
  %hand = load ptr, ptr %hand.at
  %handed = call i32 %hand(ptr %pool, ptr %job)
  %nobody = icmp eq i32 %handed, -1
  br i1 %nobody, label %asleep, label %together

asleep:                                           ; is it worth it to wake some?
  %end = load i64, ptr %common
  %gap = sub i64 %began, %end
  %in.row = icmp slt i64 %gap, 50000
  %wake = or i1 %in.row, %very.long
  br i1 %wake, label %waken, label %unshared

waken:
  store i64 0, ptr %job.kept
  %run.at = getelementptr %Workers, ptr %workers, i32 0, i32 2
  %run = load ptr, ptr %run.at
  %woken = call i32 %run(ptr %pool, ptr %job)
  br label %together

unshared:
  call void @cut(ptr %record, i64 %blocks, i64 1, i64 1)
  %single = call i32 %entry(ptr %packed, ptr %record)
  br label %together

together:
  %status = phi i32 [ %handed, %shared ], [ %woken, %waken ], [ %single, %unshared ]
  %way = phi i64 [ 1, %shared ], [ 1, %waken ], [ 0, %unshared ]
  call void @PyEval_RestoreThread(ptr %shared.state)
  %helped = load i64, ptr %job.helpers
  %all = add i64 %helped, 1
  br label %measure

measure:
  %failed = phi i32 [ %held, %hold ], [ %released, %release ], [ %status, %together ]
  %threads = phi i64 [ 1, %hold ], [ 1, %release ], [ %all, %together ]
  %used = phi i64 [ 0, %hold ], [ 0, %release ], [ %way, %together ]
  %its.phase = phi i64 [ %alone.phase, %hold ], [ %alone.phase, %release ], [ %ask.phase, %together ]
  %ended = call i64 @now(ptr %common)
  store i64 %ended, ptr %common
  %passed = sub i64 %ended, %began
  %took = call i64 @llvm.smax.i64(i64 %passed, i64 1)     ; 0 ns would be a cost that is not known
  %spent = mul i64 %took, %threads
  %spent.float = sitofp i64 %spent to double
  %each = fdiv double %spent.float, %blocks.float
  %limit = fmul double %cost, 4.0                 ; one may have been interrupted by the system
  %too.much = fcmp ogt double %each, %limit
  %cost.now = select i1 %too.much, double %limit, double %each
  store double %cost.now, ptr %cost.at
  %time.at = getelementptr %Site, ptr %site, i32 0, i32 13, i64 %used
  call void @note(ptr %time.at, i64 %took, i64 %its.phase, i64 %threads)
  %fine = icmp eq i32 %failed, 0
  br i1 %fine, label %prints, label %told

prints:
  %printed.at = getelementptr %Site, ptr %site, i32 0, i32 5
  %printed = load ptr, ptr %printed.at
  %no.prints = icmp eq ptr %printed, null
  br i1 %no.prints, label %done, label %count

count:
  %words = load i32, ptr %printed
  %nothing = icmp eq i32 %words, 0
  br i1 %nothing, label %done, label %told

told:
  ret i64 1

done:
  ret i64 0
}

; Takes up what a launch took, unless those just before were of the other way: then the cache is
; still that of others. Of a trial of workers those launches count in which one took part.
define private void @note(ptr %time.at, i64 %took, i64 %phase, i64 %threads) nounwind {
begin:
  %tried = icmp eq i64 %phase, 3
  %usual = icmp uge i64 %phase, 40
  %from.8 = sub i64 %phase, 8
  %early = icmp ult i64 %from.8, 24
  %helped = icmp ugt i64 %threads, 1
  %joined = and i1 %early, %helped
  %either = or i1 %tried, %usual
  %settled = or i1 %either, %joined
  br i1 %settled, label %new, label %end

new:
  %before = load double, ptr %time.at
  %now = sitofp i64 %took to double
  %twice = fmul double %before, 2.0               ; the system may have interrupted it
  %too.much = fcmp ogt double %now, %twice
  %seen = select i1 %too.much, double %twice, double %now
  %difference = fsub double %seen, %before
  %part = fmul double %difference, 0.25
  %after = fadd double %before, %part
  store double %after, ptr %time.at
  br label %end

end:
  ret void
}

; Gives each of so many launch records its share of the blocks, to be claimed in so many pieces.
define private void @cut(ptr %records, i64 %blocks, i64 %count, i64 %claims) nounwind {
begin:
  br label %one

one:
  %i = phi i64 [ 0, %begin ], [ %after, %one ]
  %first = phi i64 [ 0, %begin ], [ %end, %one ]
  %record = getelementptr [16 x i64], ptr %records, i64 %i
  %after = add i64 %i, 1
  %share = mul i64 %blocks, %after
  %end = udiv i64 %share, %count
  %end.at = getelementptr i64, ptr %record, i64 6
  store i64 %end, ptr %end.at
  %size = sub i64 %end, %first
  %fair = udiv i64 %size, %claims
  %none = icmp eq i64 %fair, 0
  %chunk = select i1 %none, i64 1, i64 %fair
  %chunk.at = getelementptr i64, ptr %record, i64 7
  store i64 %chunk, ptr %chunk.at
  %next.at = getelementptr i64, ptr %record, i64 8
  store i64 %first, ptr %next.at
  %more = icmp ult i64 %after, %count
  br i1 %more, label %one, label %all

all:
  ret void
}

; Nanoseconds of a clock that only goes on.
define private i64 @now(ptr %common) nounwind {
  %time = alloca [2 x i64]
  %clock.at = getelementptr %Common, ptr %common, i32 0, i32 3
  %clock.long = load i64, ptr %clock.at
  %clock = trunc i64 %clock.long to i32
  %_0 = call i32 @clock_gettime(i32 %clock, ptr %time)
  %seconds = load i64, ptr %time
  %rest.at = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %rest.at
  %whole = mul i64 %seconds, 1000000000
  %all = add i64 %whole, %rest
  ret i64 %all
}
