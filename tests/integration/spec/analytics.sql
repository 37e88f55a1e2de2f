-- Student Performance Analysis
SELECT
  s."firstName" || ' ' || s."lastName" as student_name,
  c.grade,
  c.section,
  AVG(g.grade) as average_grade,
  COUNT(g."gradeId") as total_grades
FROM "Student" s
JOIN "Grade" g ON s."studentId" = g."studentId"
JOIN "Course" c ON g."courseId" = c."courseId"
WHERE g."semesterId" = $1
GROUP BY s."studentId", s."firstName", s."lastName", c.grade, c.section
ORDER BY average_grade DESC;

-- Attendance Statistics
SELECT
  c.grade,
  c.section,
  COUNT(DISTINCT a."studentId") as total_students,
  COUNT(CASE WHEN a.status = 'Present' THEN 1 END) as present_count,
  COUNT(CASE WHEN a.status = 'Absent' THEN 1 END) as absent_count,
  ROUND(
    COUNT(CASE WHEN a.status = 'Present' THEN 1 END) * 100.0 /
    COUNT(*), 2
  ) as attendance_percentage
FROM "Attendance" a
JOIN "Course" c ON a."courseId" = c."courseId"
WHERE a."attendanceDate" >= $1 AND a."attendanceDate" <= $2
GROUP BY c.grade, c.section
ORDER BY c.grade, c.section;
