-- Primary Performance Indexes
CREATE INDEX idx_user_role ON "User"(role);
CREATE INDEX idx_user_status ON "User"(status);
CREATE INDEX idx_user_created_at ON "User"("createdAt");

-- Course-related Indexes
CREATE INDEX idx_course_schoolyear_grade_section ON "Course"("schoolYearId", grade, section);
CREATE INDEX idx_course_teacher1 ON "Course"("teacherId1");
CREATE INDEX idx_course_teacher2 ON "Course"("teacherId2");
CREATE INDEX idx_course_teacher3 ON "Course"("teacherId3");

-- Grade-related Indexes
CREATE INDEX idx_grade_student_course ON "Grade"("studentId", "courseId");
CREATE INDEX idx_grade_date ON "Grade"("gradeDate");
CREATE INDEX idx_grade_course_student_subject ON "Grade"("courseId", "studentId", "subjectId");

-- Enrollment Indexes
CREATE INDEX idx_enrollment_student_course ON "Enrollment"("studentId", "courseId");
CREATE INDEX idx_enrollment_drop ON "Enrollment"(drop);
CREATE INDEX idx_enrollment_drop_date ON "Enrollment"("dropDate");
CREATE INDEX idx_enrollment_drop_semester ON "Enrollment"("dropSemesterId");

-- Attendance Indexes
CREATE INDEX idx_attendance_student_date ON "Attendance"("studentId", "attendanceDate");
CREATE INDEX idx_attendance_course_date ON "Attendance"("courseId", "attendanceDate");
CREATE INDEX idx_attendance_semester ON "Attendance"("semesterId");
CREATE INDEX idx_attendance_school_year ON "Attendance"("schoolYearId");
